/** Makes ledger rows for tests. */
import { randomBytes } from 'node:crypto'
import type { FileRecord } from '../../db/files.ts'

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
