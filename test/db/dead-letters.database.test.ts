import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openDatabase } from '../../db/client.ts'
import { claimDeadLetters, countDeadLetters, summarizeDrain } from '../../db/dead-letters.ts'
import { recordFiles } from '../../db/files.ts'
import { files } from '../../db/schema.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { fileRecord } from '../support/ledger.ts'

let ledger: TestDatabase
beforeAll(async () => {
  ledger = await createDatabase()
})
beforeEach(() => ledger.database.delete(files))
afterAll(() => ledger[Symbol.asyncDispose]())

const claim = (drain: string, round = 0, limit = 50) =>
  claimDeadLetters(ledger.database, { drain, round, limit, leaseSeconds: 900 })

async function deadLetters(count: number): Promise<number[]> {
  const records = Array.from({ length: count }, () => fileRecord({ status: 'dead_letter' }))
  const recorded = await recordFiles(ledger.database, records)
  return recorded.map((row) => row.id).toSorted((a, b) => a - b)
}

describe('claiming', () => {
  test('takes dead letters in pages, each once, and nothing else', async () => {
    const ids = await deadLetters(5)
    await recordFiles(ledger.database, [fileRecord({ status: 'poison' }), fileRecord({ status: 'loaded' })])
    expect(await claim('a', 0, 3)).toEqual(ids.slice(0, 3))
    expect(await claim('a', 0, 3)).toEqual(ids.slice(3))
    expect(await claim('a', 0, 3)).toEqual([])
  })

  test('two drains at once share them out, and neither waits for the other', async () => {
    const ids = await deadLetters(40)
    const other = openDatabase(ledger.credentials, 'other')
    const [one, two] = await Promise.all([
      ledger.database.transaction(async (transaction) => {
        const claimed = await claimDeadLetters(transaction, { drain: 'a', round: 0, limit: 20, leaseSeconds: 900 })
        await transaction.execute(sql`select pg_sleep(0.2)`)
        return claimed
      }),
      claimDeadLetters(other, { drain: 'b', round: 0, limit: 20, leaseSeconds: 900 }),
    ])
    await other.$client.end()
    expect([...one, ...two].toSorted((a, b) => a - b)).toEqual(ids)
  })

  test('takes over what a lost execution had leased, once the lease is over', async () => {
    const ids = await deadLetters(2)
    await claim('lost')
    expect(await claim('next')).toEqual([])
    await ledger.database.update(files).set({ claimedUntil: sql`now() - interval '1 second'` })
    expect(await claim('next')).toEqual(ids)
  })

  test('what the same drain could not load it does not claim again, even when its own lease is over', async () => {
    await deadLetters(2)
    await claim('a')
    await ledger.database.update(files).set({ claimedUntil: sql`now() - interval '1 second'` })
    expect(await claim('a')).toEqual([])
  })

  test('a redriven execution may claim again what it had claimed before, and others may not', async () => {
    const ids = await deadLetters(2)
    await claim('a', 0)
    expect(await claim('b', 1)).toEqual([])
    expect(await claim('a', 1)).toEqual(ids)
    expect(await claim('a', 1)).toEqual([])
  })
})

test('a drain is summed up by source, status and reason; what is still dead is counted', async () => {
  const ids = await deadLetters(4)
  await claim('a')
  const [loaded, refused] = ids
  await ledger.database
    .update(files)
    .set({ status: 'loaded' })
    .where(eq(files.id, loaded ?? 0))
  const reason = { kind: 'contract', contractVersion: 1, issues: [], issuesOmitted: 0 }
  await ledger.database
    .update(files)
    .set({ status: 'poison', reason })
    .where(eq(files.id, refused ?? 0))
  await deadLetters(1)

  expect(await summarizeDrain(ledger.database, 'a')).toEqual([
    { source: 'orders', status: 'dead_letter', reasonKind: null, count: 2 },
    { source: 'orders', status: 'poison', reasonKind: 'contract', count: 1 },
    { source: 'orders', status: 'loaded', reasonKind: null, count: 1 },
  ])
  expect(await countDeadLetters(ledger.database)).toEqual({ total: 3, unclaimed: 1 })
})
