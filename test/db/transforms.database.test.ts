import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { openDatabase } from '../../db/client.ts'
import { claimTransform } from '../../db/transforms.ts'
import { createDatabase } from '../support/database.ts'

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
