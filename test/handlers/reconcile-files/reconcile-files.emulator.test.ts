import {
  CreateBucketCommand,
  DeleteObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { recordFiles } from '../../../db/files.ts'
import { files, reconciliations } from '../../../db/schema.ts'
import { measurePutToCommit } from '../../../db/status.ts'
import { parseMessage } from '../../../handlers/s3-event.ts'
import { fileRecord } from '../../support/ledger.ts'
import { inTwoHours, type OpenReconcile, openReconcile } from '../../support/open-reconcile.ts'
import { orderText } from '../../support/orders.ts'
import { s3Message } from '../../support/s3-events.ts'

let open: OpenReconcile
beforeEach(async () => {
  open = await openReconcile()
})
afterEach(() => open[Symbol.asyncDispose]())

describe('a reconciliation', () => {
  test('has exactly the versions loaded that the ledger does not know, as messages without a sequencer', async () => {
    const known = await open.put('input/orders/1.json')
    const lost = await open.put('input/orders/1.json')
    const other = await open.put('input/orders/a b+ü.json')
    await open.ingest([s3Message(known)])

    const outcome = await open.reconcile()

    expect(outcome).toEqual({
      ...{ reconciliationId: 1, prefix: 'input/', isDone: true, isFull: false },
      ...{ listed: 3, ignored: 0, ignoredExamples: [] },
      ...{ missing: 2, missingExamples: ['input/orders/1.json', 'input/orders/a b+ü.json'] },
    })
    const bodies = await open.receivedBodies()
    const objects = bodies.flatMap((body) => parseMessage(body).objects)
    expect(objects.map(({ versionId }) => versionId).sort()).toEqual(
      [lost, other].map((record) => record.s3.object.versionId).sort(),
    )
    for (const object of objects) expect(object).toMatchObject({ sequencer: null, sizeBytes: expect.any(Number) })

    expect(await open.ingest(bodies)).toEqual({ batchItemFailures: [] })
    expect((await open.database.select().from(files)).map(({ status }) => status)).toEqual([
      'loaded',
      'loaded',
      'loaded',
    ])
    const again = open.reconcile({}, { execution: 'run-2' })
    expect(await again).toMatchObject({ listed: 3, missing: 0 })
  })

  test('knows every version that has a row, whatever became of it', async () => {
    const statuses = ['attempted', 'dead_letter', 'vanished', 'poison', 'quarantined', 'loaded'] as const
    for (const status of statuses) {
      const { s3: of } = await open.put(`input/orders/${status}.json`)
      const identity = { bucket: open.bucket, key: of.object.key, versionId: of.object.versionId ?? '' }
      await recordFiles(open.database, [fileRecord({ ...identity, status })])
    }

    expect(await open.reconcile()).toMatchObject({ listed: 6, missing: 0 })
  })

  test('misses nothing younger than an hour', async () => {
    await open.put('input/orders/1.json')

    expect(await open.reconcile({}, {}, inTwoHours({ now: new Date(Date.now() + 59 * 60_000) }))).toMatchObject({
      listed: 1,
      missing: 0,
    })
  })

  test('looks under input/ alone, counts names that are not loaded, and takes no delete marker for a version', async () => {
    await open.put('quarantine/orders/1.json')
    await open.put('input/orders/')
    await open.put('input/orders/1.json.late')
    const deleted = await open.put('input/orders/deleted.json')
    await open.s3.send(new DeleteObjectCommand({ Bucket: open.bucket, Key: 'input/orders/deleted.json' }))

    const { listed, ignored, ignoredExamples, missing } = await open.reconcile()

    expect([listed, ignored, missing]).toEqual([3, 2, 1])
    expect(ignoredExamples).toEqual(['input/orders/', 'input/orders/1.json.late'])
    expect(await open.sentVersions()).toEqual([deleted.s3.object.versionId])
  })

  test('takes a version that was put before the bucket was versioned', async () => {
    const Bucket = `unversioned-${Date.now()}`
    await open.s3.send(new CreateBucketCommand({ Bucket }))
    await open.s3.send(new PutObjectCommand({ Bucket, Key: 'input/orders/1.json', Body: orderText() }))
    await open.s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }))

    await open.reconcile({}, { bucket: Bucket })
    const bodies = await open.receivedBodies()
    await open.ingest(bodies)

    expect(await open.database.select().from(files)).toMatchObject([{ versionId: 'null', status: 'loaded' }])
  })

  test('is written down with who asked for it, and by whom nothing is known when it was the clock', async () => {
    await open.put('input/orders/1.json')
    await open.reconcile({ prefix: 'input/orders/', requestedBy: 'arn:aws:iam::1:user/ada' })
    await open.reconcile({}, { execution: 'run-2' })

    expect(await open.database.select().from(reconciliations).orderBy(reconciliations.id)).toMatchObject([
      {
        ...{ executionName: 'run-1', requestedBy: 'arn:aws:iam::1:user/ada', why: null, isBackfill: false },
        ...{ prefix: 'input/orders/', listed: 1, missing: 1, missingExamples: ['input/orders/1.json'] },
        endedAt: expect.any(Date),
      },
      { executionName: 'run-2', requestedBy: null, prefix: 'input/' },
    ])
  })

  test('says nothing of how fast files come', async () => {
    await open.put('input/orders/1.json')
    await open.reconcile()
    await open.ingest(await open.receivedBodies())

    expect(await measurePutToCommit(open.database, new Date(0))).toEqual([])
  })

  test('repeated after its end does nothing', async () => {
    await open.put('input/orders/1.json')
    const first = await open.reconcile()
    await open.receivedBodies()

    expect(await open.reconcile()).toEqual(first)
    expect(await open.receivedBodies()).toEqual([])
  })
})
