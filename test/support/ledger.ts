/** Makes ledger rows for tests. */
import { randomBytes } from 'node:crypto'
import { closeBatch, openBatch } from '../../db/batches.ts'
import type { Session } from '../../db/client.ts'
import { type FileRecord, recordFiles } from '../../db/files.ts'

/** A ledger row with an identity of its own; give what the test is about. */
export function fileRecord(fields: Partial<FileRecord> = {}): FileRecord {
  return {
    bucket: 'landing',
    key: `input/orders/${randomBytes(6).toString('hex')}.json`,
    versionId: randomBytes(8).toString('hex'),
    status: 'loaded',
    source: 'orders',
    ...fields,
  }
}

/** A committed batch of files whose events came, put when the batch was received, unless they say otherwise. Returns the batch's id. */
export async function commitBatch(
  session: Session,
  records: readonly FileRecord[],
  { receivedAt = new Date(), executionName = null }: { receivedAt?: Date; executionName?: string | null } = {},
): Promise<number> {
  const { id } = await openBatch(session, { requestId: 'request', receivedAt, messages: records.length })
  await recordFiles(
    session,
    records.map((record) => ({ eventAt: receivedAt, sequencer: '0A', ...record, batchId: id })),
  )
  await closeBatch(session, id, {
    ...{ files: records.length, bytes: 0, loaded: records.length, poison: 0, vanished: 0, repeated: 0 },
    ...{ executionName, executionInput: executionName },
  })
  return id
}
