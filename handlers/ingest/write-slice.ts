/** Phase two of a slice: everything that was read, in one transaction on one connection. A slice is a row of `batches`. */

import { endAttempt } from '../../db/attempts.ts'
import { closeBatch, openBatch } from '../../db/batches.ts'
import type { Database, Session } from '../../db/client.ts'
import { findRefusedDocuments, insertDocuments, type NewDocument } from '../../db/documents.ts'
import { isDataRefused } from '../../db/errors.ts'
import { type FileRecord, identityOf, type RecordedFile, recordFiles } from '../../db/files.ts'
import { keepMessages, type UnreadableMessage } from '../../db/messages.ts'
import { claimTransform } from '../../db/transforms.ts'
import type { BatchInput } from '../contract.ts'
import type { CreatedObject } from '../s3-event.ts'
import { judgeRefused } from './judge.ts'
import type { ReadFile } from './read-file.ts'

export interface ReadSlice {
  readonly requestId: string
  readonly receivedAt: Date
  /** How many messages are counted to this slice. */
  readonly messages: number
  readonly unreadable: readonly UnreadableMessage[]
  readonly files: readonly ReadFile[]
  /** The version whose attempt ends with this transaction. */
  readonly attempted?: CreatedObject | undefined
  /** Minutes between two runs of the transform: the first batch after that asks for the next. */
  readonly transformIntervalMinutes: number
}

export interface WrittenSlice {
  readonly batchId: number
  readonly files: number
  readonly bytes: number
  readonly loaded: number
  readonly poison: number
  readonly vanished: number
  /** Versions that the ledger already knew as well or better. */
  readonly repeated: number
  /** What the ledger took: all files but the repeated ones. */
  readonly recorded: readonly RecordedFile[]
  /** What to start now that the batch is committed; null when it brought nothing new. */
  readonly execution: { readonly name: string; readonly input: string } | null
}

/**
 * Commits a slice: its batch row, the ledger, the documents of exactly those versions that the ledger took as newly loaded.
 * When the database refuses a document, it is found, turned into poison, and the rest is written.
 *
 * @throws a database error when nothing was committed (or, if the connection broke during COMMIT, may have been: running
 *   the same slice again is harmless)
 */
export async function writeSlice(database: Database, slice: ReadSlice): Promise<WrittenSlice> {
  const { requestId, receivedAt, messages, unreadable, files, attempted, transformIntervalMinutes } = slice
  return await database.transaction(async (transaction) => {
    const { id: batchId, loadedOn } = await openBatch(transaction, { requestId, receivedAt, messages })
    await keepMessages(transaction, batchId, unreadable)
    const recorded = await writeFiles(transaction, files, { batchId, loadedOn })
    if (attempted !== undefined) await endAttempt(transaction, attempted)

    const count = (...statuses: RecordedFile['status'][]) =>
      recorded.filter(({ status }) => statuses.includes(status)).length
    const result = {
      files: files.length,
      bytes: files.reduce(
        (sum, file) => sum + (file.verdict.status === 'loaded' ? file.verdict.bytes.byteLength : 0),
        0,
      ),
      loaded: count('loaded'),
      // A replay that is refused again leaves a quarantined file quarantined.
      poison: count('poison', 'quarantined'),
      vanished: count('vanished'),
      repeated: files.length - recorded.length,
    }
    // Nothing may lock the one row of the lease for long: it is asked for when all else is written.
    const execution =
      recorded.length === 0
        ? null
        : await planExecution(transaction, { batchId, receivedAt, recorded, transformIntervalMinutes })
    await closeBatch(transaction, batchId, {
      ...result,
      executionName: execution?.name ?? null,
      executionInput: execution?.input ?? null,
    })
    return { batchId, ...result, recorded, execution }
  })
}

interface WriteContext {
  readonly batchId: number
  readonly loadedOn: string
}

/** Ledger and documents under a savepoint; once more with the refused documents as poison if the database refuses any. */
async function writeFiles(
  transaction: Session,
  files: readonly ReadFile[],
  context: WriteContext,
): Promise<RecordedFile[]> {
  try {
    return await transaction.transaction((savepoint) => writeLedgerAndDocuments(savepoint, files, context))
  } catch (error) {
    if (!isDataRefused(error)) throw error
    const judged = await judgeByDatabase(transaction, files)
    return await transaction.transaction((savepoint) => writeLedgerAndDocuments(savepoint, judged, context))
  }
}

async function writeLedgerAndDocuments(
  savepoint: Session,
  files: readonly ReadFile[],
  { batchId, loadedOn }: WriteContext,
): Promise<RecordedFile[]> {
  const recorded = await recordFiles(
    savepoint,
    files.map((file) => toRecord(file, batchId, loadedOn)),
  )
  const byIdentity = new Map(files.map((file) => [identityOf(file.object), file]))
  const documents = recorded.flatMap((row): NewDocument[] => {
    const file = byIdentity.get(identityOf(row))
    if (file?.verdict.status !== 'loaded' || file.source === undefined) return []
    return [{ fileId: row.id, source: file.source.name, bytes: file.verdict.bytes }]
  })
  await insertDocuments(savepoint, loadedOn, documents)
  return recorded
}

/** The same files, those whose documents the database refuses turned into poison. */
async function judgeByDatabase(transaction: Session, files: readonly ReadFile[]): Promise<ReadFile[]> {
  const candidates = files.flatMap((file) =>
    file.verdict.status === 'loaded' ? [{ file, bytes: file.verdict.bytes }] : [],
  )
  const refused = await findRefusedDocuments(
    transaction,
    candidates.map(({ bytes }) => bytes),
  )
  const codes = new Map([...refused].map(([position, code]) => [candidates[position]?.file, code]))
  return files.map((file) => {
    const code = codes.get(file)
    if (code === undefined || file.verdict.status !== 'loaded' || file.source === undefined) return file
    return { ...file, verdict: judgeRefused(file.source, file.verdict.bytes, code) }
  })
}

function toRecord(
  { object, source, lastModifiedAt, verdict }: ReadFile,
  batchId: number,
  loadedOn: string,
): FileRecord {
  const { replay, ...facts } = object
  return {
    ...facts,
    replayId: replay?.id ?? null,
    status: verdict.status,
    source: source?.name ?? null,
    lastModifiedAt,
    batchId,
    reason: verdict.status === 'poison' ? verdict.reason : null,
    contractVersion: source?.contractVersion ?? null,
    records: verdict.status === 'loaded' ? verdict.records : null,
    loadedOn: verdict.status === 'loaded' ? loadedOn : null,
  }
}

/** Name and input of the batch's execution. Both are kept with the batch, so that whoever starts it sends the same bytes. */
async function planExecution(
  transaction: Session,
  {
    batchId,
    receivedAt,
    recorded,
    transformIntervalMinutes,
  }: { batchId: number; receivedAt: Date; recorded: readonly RecordedFile[]; transformIntervalMinutes: number },
) {
  const stamp = receivedAt.toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const name = `batch-${stamp}-${batchId}`
  const input: BatchInput = {
    trigger: 'batch',
    batchId,
    poisonFileIds: recorded.filter((file) => file.status === 'poison').map((file) => file.id),
    transform: await claimTransform(transaction, name, transformIntervalMinutes),
  }
  return { name, input: JSON.stringify(input) }
}
