import { eq, sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { openDatabase } from '../../db/client.ts'
import { recordFiles } from '../../db/files.ts'
import { files, transforms } from '../../db/schema.ts'
import { claimTransform, listTransforms, measureMarts } from '../../db/transforms.ts'
import { createDatabase } from '../support/database.ts'
import { fileRecord } from '../support/ledger.ts'

const HOUR = 60

test('the first who asks gets the lease, and nobody else while it is held', async () => {
  await using db = await createDatabase()
  expect(await claimTransform(db.database, 'first', HOUR)).toBe(true)
  expect(await claimTransform(db.database, 'second', HOUR)).toBe(false)
  expect(await claimTransform(db.database, 'first', HOUR)).toBe(false)
})

test('of eight transactions at once exactly one gets the lease', async () => {
  await using db = await createDatabase()
  const connections = Array.from({ length: 8 }, () => openDatabase(db.credentials, 'test'))
  const answers = await Promise.all(
    connections.map((connection, holder) =>
      connection.transaction(async (transaction) => await claimTransform(transaction, `holder-${holder}`, HOUR)),
    ),
  )
  await Promise.all(connections.map((connection) => connection.$client.end()))
  expect(answers.filter((isClaimed) => isClaimed)).toHaveLength(1)
})

test('a lease that a transaction took is free again when it is rolled back', async () => {
  await using db = await createDatabase()
  const failed = db.database.transaction(async (transaction) => {
    await claimTransform(transaction, 'first', HOUR)
    throw new Error('not committed')
  })
  await expect(failed).rejects.toThrow('not committed')
  expect(await claimTransform(db.database, 'second', HOUR)).toBe(true)
})

test.each([
  ['the lease runs out', `held_until = now() - interval '1 second'`, true],
  ['the lease runs still', `held_until = now() + interval '1 second'`, false],
  ['the last success is an interval ago', `succeeded_at = now() - interval '61 minutes'`, true],
  ['the last success is younger', `succeeded_at = now() - interval '59 minutes'`, false],
  ['an old success, but the lease is held', `succeeded_at = 'epoch', held_until = 'infinity'`, false],
])('whether a transform is due when %s', async (_what, columns, isDue) => {
  await using db = await createDatabase()
  await db.database.execute(sql.raw(`update ingest.transform_lease set ${columns}`))
  expect(await claimTransform(db.database, 'somebody', HOUR)).toBe(isDue)
})

describe('how far the marts are', () => {
  test('without a run that succeeded, all files are still to come', async () => {
    await using db = await createDatabase()
    await recordFiles(db.database, [fileRecord(), fileRecord({ status: 'quarantined' })])
    await db.database.insert(transforms).values({ outcome: 'failed', endedAt: new Date() })

    expect(await measureMarts(db.database)).toEqual({ completeUntil: null, filesBehind: 2 })
  })

  test('files count as behind from the transaction on below which the last success has read', async () => {
    await using db = await createDatabase()
    await recordFiles(db.database, [fileRecord(), fileRecord()])
    const [file] = await recordFiles(db.database, [fileRecord()])
    const changed = db.database
      .select({ xid: files.changedXid })
      .from(files)
      .where(eq(files.id, file?.id ?? 0))
    const startedAt = new Date('2026-11-24T17:00:00Z')
    const run = { startedAt, endedAt: startedAt, readBelow: sql`(${changed})` }
    await db.database.insert(transforms).values({ ...run, outcome: 'succeeded' })
    await db.database.insert(transforms).values({ ...run, outcome: 'lost', readBelow: '999999' })

    expect(await measureMarts(db.database)).toEqual({ completeUntil: startedAt, filesBehind: 1 })
  })

  test('the newest runs come first, with what they say of themselves', async () => {
    await using db = await createDatabase()
    const failures = [{ name: 'orders', kind: 'model', status: 'error', rows: null }] as const
    await db.database.insert(transforms).values({ executionName: 'first', sources: ['orders'], nodes: 3 })
    await db.database.insert(transforms).values({ outcome: 'failed', endedAt: new Date(), failures })

    const [last, ...others] = await listTransforms(db.database, 2)
    expect(last).toMatchObject({ outcome: 'failed', failures, executionName: null, sources: [] })
    expect(others).toMatchObject([
      { executionName: 'first', endedAt: null, outcome: null, sources: ['orders'], nodes: 3 },
    ])
    expect(await listTransforms(db.database, 1)).toHaveLength(1)
  })
})
