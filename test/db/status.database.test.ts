import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { markExecutionStarted } from '../../db/batches.ts'
import { type FileRecord, recordFiles } from '../../db/files.ts'
import { keepMessages } from '../../db/messages.ts'
import { replays } from '../../db/schema.ts'
import {
  countFilesByStatus,
  countSuperseded,
  measureBatchSizes,
  measurePutToCommit,
  measureUnreadableMessages,
  measureUnstarted,
} from '../../db/status.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { commitBatch, fileRecord } from '../support/ledger.ts'

let ledger: TestDatabase
beforeEach(async () => {
  ledger = await createDatabase()
})
afterEach(() => ledger[Symbol.asyncDispose]())

const SECOND_MS = 1_000
const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600 * SECOND_MS)

const some = (count: number, fields: Partial<FileRecord> = {}) =>
  Array.from({ length: count }, () => fileRecord(fields))

describe('counting', () => {
  test('files are counted by source and status, and the last change of each is told', async () => {
    await recordFiles(ledger.database, [...some(3), ...some(2, { source: null, status: 'quarantined' })])

    const rows = await countFilesByStatus(ledger.database)

    expect(rows.map(({ source, status, count }) => ({ source, status, count }))).toEqual(
      expect.arrayContaining([
        { source: 'orders', status: 'loaded', count: 3 },
        { source: null, status: 'quarantined', count: 2 },
      ]),
    )
    expect(rows.every(({ lastChangedAt }) => lastChangedAt instanceof Date)).toBe(true)
  })

  test('of a key with three loaded versions two are superseded, and one that was refused is none of them', async () => {
    const versions = ['01', '02', '03'].map((sequencer) => fileRecord({ key: 'input/orders/1.json', sequencer }))
    const refused = fileRecord({ key: 'input/orders/1.json', sequencer: '04', status: 'quarantined' })
    await recordFiles(ledger.database, [...versions, refused, ...some(2)])

    expect(await countSuperseded(ledger.database)).toEqual([{ source: 'orders', count: 2 }])
  })

  test('unreadable messages are counted, and the recent ones among them', async () => {
    const batchId = await commitBatch(ledger.database, [])
    await keepMessages(ledger.database, batchId, [{ messageId: 'm', body: 'x', reason: 'not JSON' }])

    expect(await measureUnreadableMessages(ledger.database, hoursAgo(1))).toEqual({ count: 1, recent: 1 })
    expect(await measureUnreadableMessages(ledger.database, hoursAgo(-1))).toEqual({ count: 1, recent: 0 })
  })
})

describe('measuring', () => {
  test('times from put to commit are those of the batches since then, by source and of all', async () => {
    await commitBatch(ledger.database, some(1, { eventAt: hoursAgo(3) }), { receivedAt: hoursAgo(2) })
    await commitBatch(ledger.database, [
      ...some(1, { eventAt: new Date(Date.now() - 10 * SECOND_MS) }),
      ...some(1, { source: 'github', eventAt: new Date(Date.now() - 30 * SECOND_MS) }),
    ])

    const rows = await measurePutToCommit(ledger.database, hoursAgo(1))

    const p50Of = (source: string | null) => rows.find((row) => row.source === source)?.p50Seconds
    expect(rows.filter(({ isTotal }) => isTotal)).toMatchObject([{ source: null, files: 2 }])
    expect([p50Of('orders'), p50Of('github'), p50Of(null)].map((seconds) => Math.round(seconds ?? 0))).toEqual([
      10, 30, 20,
    ])
  })

  test('what no source claims has times of its own, beside those of all', async () => {
    await commitBatch(ledger.database, some(1, { source: null }))
    expect((await measurePutToCommit(ledger.database, hoursAgo(1))).map(({ isTotal }) => isTotal).toSorted()).toEqual([
      false,
      true,
    ])
  })

  test('a replay tells nothing of how fast files come, and neither does a ledger without files', async () => {
    const [replay] = await ledger.database
      .insert(replays)
      .values({ executionName: 'replay-1', requestedBy: 'me', why: 'test', selection: {} })
      .returning()
    await commitBatch(ledger.database, some(1, { eventAt: hoursAgo(99), replayId: replay?.id ?? 0 }))
    expect(await measurePutToCommit(ledger.database, hoursAgo(1))).toEqual([])
  })

  test('what was found in a listing tells nothing of it either, until its event comes', async () => {
    const found = fileRecord({ sequencer: null, eventAt: hoursAgo(99) })
    await commitBatch(ledger.database, [found])
    expect(await measurePutToCommit(ledger.database, hoursAgo(1))).toEqual([])

    await recordFiles(ledger.database, [{ ...found, sequencer: '0A', eventAt: hoursAgo(0.5) }])
    expect((await measurePutToCommit(ledger.database, hoursAgo(1))).map(({ files }) => files)).toEqual([1, 1])
  })

  test('batch sizes are least, median and most of batches with files', async () => {
    for (const size of [0, 1, 3, 3, 5]) await commitBatch(ledger.database, some(size))
    await commitBatch(ledger.database, some(9), { receivedAt: hoursAgo(2) })

    expect(await measureBatchSizes(ledger.database, hoursAgo(1))).toEqual({ count: 4, least: 1, median: 3, most: 5 })
    expect(await measureBatchSizes(ledger.database, hoursAgo(-1))).toMatchObject({ count: 0, median: null })
  })

  test('an execution counts as unstarted until it is known to be started', async () => {
    const started = await commitBatch(ledger.database, some(1), { executionName: 'a' })
    const unstarted = await commitBatch(ledger.database, some(1), { executionName: 'b', receivedAt: hoursAgo(1) })
    await commitBatch(ledger.database, some(1))
    await markExecutionStarted(ledger.database, started)
    expect(await measureUnstarted(ledger.database)).toMatchObject({ count: 1, oldestReceivedAt: expect.any(Date) })

    await markExecutionStarted(ledger.database, unstarted)
    expect(await measureUnstarted(ledger.database)).toEqual({ count: 0, oldestReceivedAt: null })
  })
})
