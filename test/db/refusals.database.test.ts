import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FileRecord, recordFiles } from '../../db/files.ts'
import { countRefusalsByKind, listRefusals } from '../../db/refusals.ts'
import type { Reason } from '../../db/schema.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { fileRecord } from '../support/ledger.ts'

let ledger: TestDatabase
beforeEach(async () => {
  ledger = await createDatabase()
})
afterEach(() => ledger[Symbol.asyncDispose]())

const reason = (kind: string): Reason => ({ kind, contractVersion: 1, issues: [], issuesOmitted: 0 })

const some = (count: number, fields: Partial<FileRecord> = {}) =>
  Array.from({ length: count }, () => fileRecord(fields))

test('refusals are poison and quarantined files, filtered by source, kind and time, counted beyond the limit', async () => {
  await recordFiles(ledger.database, [
    ...some(3, { status: 'quarantined', reason: reason('contract') }),
    ...some(1, { status: 'poison', reason: reason('empty'), source: 'github' }),
    ...some(5),
  ])
  const kindsOf = async (filter: Parameters<typeof listRefusals>[1]) =>
    (await listRefusals(ledger.database, filter, 10)).map(({ kind }) => kind).toSorted()

  expect(await kindsOf({})).toEqual(['contract', 'contract', 'contract', 'empty'])
  expect(await kindsOf({ source: 'github' })).toEqual(['empty'])
  expect(await kindsOf({ kind: 'contract' })).toHaveLength(3)
  expect(await kindsOf({ since: new Date(Date.now() + 60_000) })).toEqual([])
  expect(await listRefusals(ledger.database, {}, 2)).toHaveLength(2)
  expect(await countRefusalsByKind(ledger.database, {})).toEqual([
    { kind: 'contract', count: 3 },
    { kind: 'empty', count: 1 },
  ])
})
