/** Questions that hold the ledger against what was put, and measure how the files went through. */
import { and, count, eq, gt, isNull, max, min, sql } from 'drizzle-orm'
import type { AnyPgColumn } from 'drizzle-orm/pg-core'
import type { Session } from './client.ts'
import { batches, currentFiles, documents, droppedDays, files, messages } from './schema.ts'

const currentColumns = {
  key: currentFiles.key,
  versionId: currentFiles.versionId,
  state: currentFiles.state,
  reason: currentFiles.reason,
  quarantineKey: currentFiles.quarantineKey,
}

/** An object version as readers see it: its identity within a bucket, its state, and why it was refused if it was. */
export type AccountedVersion = Awaited<ReturnType<typeof listVersions>>[number]

/** Every object version of a bucket that the ledger knows. For comparison with a listing of the bucket. */
export async function listVersions(session: Session, bucket: string) {
  return await session.select(currentColumns).from(currentFiles).where(eq(currentFiles.bucket, bucket))
}

/** How many object versions of a bucket are in which state. */
export async function countFilesByState(session: Session, bucket: string): Promise<Map<string, number>> {
  const rows = await session
    .select({ state: currentFiles.state, count: count() })
    .from(currentFiles)
    .where(eq(currentFiles.bucket, bucket))
    .groupBy(currentFiles.state)
  return new Map(rows.map((row) => [row.state, row.count]))
}

/** The versions of a bucket whose status changed after an instant, the oldest change first. */
export async function listVersionsChangedAfter(session: Session, bucket: string, changedAfter: Date) {
  return await session
    .select({ ...currentColumns, changedAt: currentFiles.changedAt })
    .from(currentFiles)
    .where(sql`${eq(currentFiles.bucket, bucket)} and ${gt(currentFiles.changedAt, changedAfter)}`)
    .orderBy(currentFiles.changedAt)
}

/**
 * Times from put to commit in seconds, and the span in which the files of a bucket came and were committed.
 * Null without files.
 */
export async function measureCommits(session: Session, bucket: string) {
  const delay = sql`extract(epoch from ${batches.committedAt} - ${files.eventAt})`
  const [row] = await session
    .select({
      files: count(),
      p50Seconds: sql<number | null>`(percentile_cont(0.50) within group (order by ${delay}))::float8`,
      p99Seconds: sql<number | null>`(percentile_cont(0.99) within group (order by ${delay}))::float8`,
      firstPutAt: min(files.eventAt),
      lastCommitAt: max(batches.committedAt),
    })
    .from(files)
    .innerJoin(batches, eq(batches.id, files.batchId))
    .where(eq(files.bucket, bucket))
  if (row === undefined) throw new Error('an aggregate without GROUP BY returned no row')
  return row
}

/** How many messages all batches took, how many files among them were known, and how many executions they asked for. */
export async function summarizeBatches(session: Session) {
  const total = (column: AnyPgColumn) => sql<number>`coalesce(sum(${column}), 0)::integer`
  const [row] = await session
    .select({
      messages: total(batches.messages),
      /** Versions that were received again after they were committed. */
      repeated: total(batches.repeated),
      executions: count(batches.executionName),
    })
    .from(batches)
  if (row === undefined) throw new Error('an aggregate without GROUP BY returned no row')
  return row
}

/** Number of files in each batch that had any, rising. */
export async function listBatchSizes(session: Session): Promise<number[]> {
  const rows = await session
    .select({ files: batches.files })
    .from(batches)
    .where(gt(batches.files, 0))
    .orderBy(batches.files)
  return rows.map((row) => row.files)
}

/**
 * Loaded files without exactly one document, and documents without a loaded file: zero unless something is broken. Neither what
 * was erased nor what was dropped by age has one.
 */
export async function countUnmatchedDocuments(session: Session): Promise<number> {
  const isKept = sql`${files.loadedOn} not in (select day from ${droppedDays})`
  const loaded = session
    .select({ id: files.id })
    .from(files)
    .where(and(eq(files.status, 'loaded'), isNull(files.erasedAt), isKept))
    .as('loaded')
  const unmatched = session
    .select({ fileId: sql<number>`coalesce(${loaded.id}, ${documents.fileId})`.as('either_id') })
    .from(loaded)
    .fullJoin(documents, eq(documents.fileId, loaded.id))
    .groupBy(sql`1`)
    .having(sql`count(${loaded.id}) <> 1 or count(${documents.fileId}) <> 1`)
    .as('unmatched')
  return await session.$count(unmatched)
}

/** Messages that named no object version. */
export async function countUnreadableMessages(session: Session): Promise<number> {
  return await session.$count(messages)
}
