import { afterEach, beforeEach, expect, test } from 'vitest'
import { listBatches } from '../../db/batches.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { commitBatch, fileRecord } from '../support/ledger.ts'

let ledger: TestDatabase
beforeEach(async () => {
  ledger = await createDatabase()
})
afterEach(() => ledger[Symbol.asyncDispose]())

test('batches come newest first, with the time that they took', async () => {
  const older = await commitBatch(ledger.database, [fileRecord()])
  const newer = await commitBatch(ledger.database, [fileRecord(), fileRecord()], {
    receivedAt: new Date(Date.now() - 2_000),
    executionName: 'x',
  })

  const rows = await listBatches(ledger.database, 10)

  expect(rows).toMatchObject([
    { id: newer, files: 2, executionName: 'x', startedAt: null },
    { id: older, files: 1, executionName: null },
  ])
  expect(rows[0]?.milliseconds).toBeGreaterThanOrEqual(1_900)
  expect(await listBatches(ledger.database, 1)).toHaveLength(1)
})
