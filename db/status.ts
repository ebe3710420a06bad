/** Questions about the whole: how many object versions are in which state, how fast they come, and what is still to be done. */
import { and, count, eq, gt, gte, isNotNull, isNull, max, min, sql } from 'drizzle-orm'
import type { Session } from './client.ts'
import { batches, currentFiles, erasures, files, messages } from './schema.ts'

/** How many object versions of each source have which status, those that were erased included, and when the last one got it. */
export async function countFilesByStatus(session: Session) {
  return await session
    .select({ source: files.source, status: files.status, count: count(), lastChangedAt: max(files.changedAt) })
    .from(files)
    .groupBy(files.status, files.source)
}

/**
 * How many of them were erased. By way of the keys in the audit, which are few: an index of what was erased would hold up
 * ingest while it is made.
 */
export async function countErased(session: Session) {
  const keys = session.selectDistinct({ bucket: erasures.bucket, key: erasures.key }).from(erasures).as('keys')
  return await session
    .select({ source: files.source, status: files.status, count: count() })
    .from(files)
    .innerJoin(keys, and(eq(keys.bucket, files.bucket), eq(keys.key, files.key)))
    .where(isNotNull(files.erasedAt))
    .groupBy(files.status, files.source)
}

/**
 * How many of each source's loaded versions are superseded. Asks the view only for keys that have more than one version:
 * for millions of keys that have one, the index of identities has already answered.
 */
export async function countSuperseded(session: Session) {
  const overwritten = session
    .select({ bucket: files.bucket, key: files.key })
    .from(files)
    .groupBy(files.bucket, files.key)
    .having(gt(count(), 1))
    .as('overwritten')
  return await session
    .select({ source: currentFiles.source, count: count() })
    .from(currentFiles)
    .innerJoin(overwritten, and(eq(overwritten.bucket, currentFiles.bucket), eq(overwritten.key, currentFiles.key)))
    .where(eq(currentFiles.state, 'superseded'))
    .groupBy(currentFiles.source)
}

/**
 * Times from put to commit in seconds, of files whose batches were received since an instant: for each source, and for all
 * of them in the row that `isTotal`. No row without files.
 */
export async function measurePutToCommit(session: Session, since: Date) {
  const delay = sql`extract(epoch from ${batches.committedAt} - ${files.eventAt})`
  return await session
    .select({
      source: files.source,
      isTotal: sql<boolean>`grouping(${files.source}) = 1`,
      files: count(),
      p50Seconds: sql<number>`(percentile_cont(0.50) within group (order by ${delay}))::float8`,
      p99Seconds: sql<number>`(percentile_cont(0.99) within group (order by ${delay}))::float8`,
    })
    .from(batches)
    .innerJoin(files, eq(files.batchId, batches.id))
    .where(
      and(
        gte(batches.receivedAt, since),
        isNotNull(batches.committedAt),
        isNotNull(files.eventAt),
        // What a person had loaded again, or what was found in a listing, was put long ago and says nothing of how fast files
        // come.
        isNull(files.replayId),
        isNotNull(files.sequencer),
      ),
    )
    .groupBy(sql`grouping sets ((${files.source}), ())`)
    // Without files the empty grouping set is still a row.
    .having(gt(count(), 0))
}

/** How many batches with files were received since an instant, and how many files they held. */
export async function measureBatchSizes(session: Session, since: Date) {
  const [row] = await session
    .select({
      count: count(),
      least: min(batches.files),
      median: sql<number | null>`percentile_disc(0.5) within group (order by ${batches.files})`,
      most: max(batches.files),
    })
    .from(batches)
    .where(and(gte(batches.receivedAt, since), gt(batches.files, 0)))
  if (row === undefined) throw new Error('an aggregate without GROUP BY returned no row')
  return row
}

/** How many batches wait for their execution to be started, and since when the oldest does. */
export async function measureUnstarted(session: Session) {
  const [row] = await session
    .select({ count: count(), oldestReceivedAt: min(batches.receivedAt) })
    .from(batches)
    .where(and(isNull(batches.startedAt), isNotNull(batches.executionName)))
  if (row === undefined) throw new Error('an aggregate without GROUP BY returned no row')
  return row
}

/** How many messages named no object version, of all and of those received since an instant. */
export async function measureUnreadableMessages(session: Session, since: Date) {
  const [row] = await session
    .select({
      count: count(),
      recent: sql<number>`(count(*) filter (where ${gte(messages.receivedAt, since)}))::integer`,
    })
    .from(messages)
  if (row === undefined) throw new Error('an aggregate without GROUP BY returned no row')
  return row
}
