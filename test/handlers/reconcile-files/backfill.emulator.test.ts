import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { currentFiles, reconciliations } from '../../../db/schema.ts'
import { tryNextPages } from '../../../handlers/reconcile-files/reconcile-files.ts'
import { listing } from '../../support/listing.ts'
import { inTwoHours, type OpenReconcile, openReconcile } from '../../support/open-reconcile.ts'
import { orderText } from '../../support/orders.ts'
import { s3Message } from '../../support/s3-events.ts'

let open: OpenReconcile
beforeEach(async () => {
  open = await openReconcile()
})
afterEach(() => open[Symbol.asyncDispose]())

describe('a backfill', () => {
  const backfill = {
    isBackfill: true,
    prefix: 'input/orders/2025/',
    requestedBy: 'arn:aws:iam::1:user/ada',
    why: 'history',
  }

  test('loads versions of any age under its prefix, and is written down with why', async () => {
    const old = await open.put('input/orders/2025/1.json')
    await open.put('input/orders/2026/1.json')

    expect(await open.reconcile(backfill, {}, inTwoHours({ now: new Date() }))).toMatchObject({ listed: 1, missing: 1 })

    expect(await open.sentVersions()).toEqual([old.s3.object.versionId])
    expect(await open.database.select().from(reconciliations)).toMatchObject([{ ...backfill, missing: 1 }])
  })

  test('loads all versions of a key, and the newest is current though they were put within a second', async () => {
    const records = []
    for (const order_id of ['first', 'second', 'third'])
      records.push(await open.put('input/orders/2025/1.json', orderText({ order_id })))
    await open.reconcile(backfill)
    await open.ingest((await open.receivedBodies()).toReversed())

    const rows = await open.database.select().from(currentFiles)
    const states = new Map(rows.map(({ versionId, state }) => [versionId, state]))
    expect(records.map(({ s3: { object } }) => states.get(object.versionId ?? ''))).toEqual([
      'superseded',
      'superseded',
      'loaded',
    ])
  })

  test('in a dry run is counted, and nothing is changed', async () => {
    const known = await open.put('input/orders/2025/known.json')
    await open.put('input/orders/2025/new.json')
    await open.put('input/orders/2025/readme.txt')
    await open.ingest([s3Message(known)])

    const count = await tryNextPages(
      open.dependencies,
      { prefix: 'input/orders/2025/', after: null },
      inTwoHours({ now: new Date() }),
    )

    expect(count).toEqual({
      ...{ listed: 3, ignored: 1, ignoredExamples: ['input/orders/2025/readme.txt'] },
      ...{ missing: 1, missingExamples: ['input/orders/2025/new.json'], next: null },
    })
    expect(await open.receivedBodies()).toEqual([])
    expect(await open.database.$count(reconciliations)).toBe(0)
  })

  test('in a dry run of many pages goes on where the call before ended', async () => {
    const versions = ['1', '2', '3'].map((name) => ({
      Key: `input/orders/${name} %.json`,
      ...{ VersionId: 'v', LastModified: new Date(0), Size: 2 },
    }))
    const pages = { ...open.dependencies, s3: listing(versions, 2) }
    const none = inTwoHours({ remaining: () => 0 })
    const first = await tryNextPages(pages, { prefix: 'input/', after: null }, none)
    const second = await tryNextPages(pages, { prefix: 'input/', after: first.next }, none)

    expect([first.missing, second.missing, second.next]).toEqual([2, 1, null])
  })
})
