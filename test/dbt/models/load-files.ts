/** Loads files into a database as the ingest function does, without S3: judged by their contracts, written as a batch. */
import { randomBytes } from 'node:crypto'
import { closeBatch, openBatch } from '../../../db/batches.ts'
import type { Session } from '../../../db/client.ts'
import { insertDocuments } from '../../../db/documents.ts'
import { identityOf, recordFiles } from '../../../db/files.ts'
import { judgeDocument, judgeUnclaimed } from '../../../handlers/ingest/judge.ts'
import { findSource } from '../../../handlers/sources/registry.ts'

/** An object version that was put. */
export interface Put {
  readonly key: string
  readonly body: string
  /** When, ISO 8601. */
  readonly at: string
  /** Found in a listing: without an event, and so without a sequencer. */
  readonly isListed?: boolean | undefined
  /** Orders the versions of a key; without one, later puts are newer. */
  readonly sequencer?: string | undefined
  readonly versionId?: string | undefined
}

let puts = 0

/** A sequencer above all that were made before. */
export const nextSequencer = (): string => (++puts).toString(16).toUpperCase().padStart(16, '0')

/** Writes puts as one batch. A loaded version that comes again changes nothing. */
export async function loadFiles(session: Session, loaded: readonly Put[]): Promise<void> {
  const judged = loaded.map(({ key, body, at, isListed = false, sequencer = nextSequencer(), versionId }) => {
    const source = findSource(key)
    const bytes = Buffer.from(body)
    const verdict = source === undefined ? judgeUnclaimed([]) : judgeDocument(source, bytes)
    const identity = { bucket: 'landing', key, versionId: versionId ?? randomBytes(8).toString('hex') }
    const event = isListed ? {} : { sequencer, eventAt: new Date(at) }
    return { source, bytes, verdict, facts: { ...identity, ...event, lastModifiedAt: new Date(at) } }
  })
  await session.transaction(async (transaction) => {
    const batch = await openBatch(transaction, {
      requestId: 'request',
      receivedAt: new Date(),
      messages: loaded.length,
    })
    const recorded = await recordFiles(
      transaction,
      judged.map(({ source, bytes, verdict, facts }) => ({
        ...facts,
        sizeBytes: bytes.byteLength,
        source: source?.name ?? null,
        contractVersion: source?.contractVersion ?? null,
        batchId: batch.id,
        status: verdict.status,
        ...(verdict.status === 'loaded'
          ? { records: verdict.records, loadedOn: batch.loadedOn }
          : { reason: verdict.reason }),
      })),
    )
    const byIdentity = new Map(judged.map((file) => [identityOf(file.facts), file]))
    const documents = recorded.flatMap((row) => {
      const file = byIdentity.get(identityOf(row))
      if (file?.source === undefined || file.verdict.status !== 'loaded') return []
      return [{ fileId: row.id, source: file.source.name, bytes: file.verdict.bytes }]
    })
    await insertDocuments(transaction, batch.loadedOn, documents)
    const result = { files: loaded.length, bytes: 0, loaded: documents.length, vanished: 0, repeated: 0 }
    await closeBatch(transaction, batch.id, {
      ...result,
      poison: recorded.length - documents.length,
      executionName: null,
      executionInput: null,
    })
  })
}
