/** Questions about everything that is known of one key. */
import { and, count, desc, eq, sql } from 'drizzle-orm'
import type { Session } from './client.ts'
import { batches, currentFiles, droppedDays, files, replays } from './schema.ts'

/** The versions of a key, the newest first, each with the batch that decided its status and the replay it was last part of. */
export async function listVersionsOfKey(session: Session, bucket: string, key: string, limit: number) {
  return await session
    .select({
      fileId: currentFiles.id,
      versionId: currentFiles.versionId,
      state: currentFiles.state,
      source: currentFiles.source,
      sequencer: currentFiles.sequencer,
      sizeBytes: currentFiles.sizeBytes,
      eventAt: currentFiles.eventAt,
      records: currentFiles.records,
      contractVersion: currentFiles.contractVersion,
      reason: currentFiles.reason,
      loadedOn: currentFiles.loadedOn,
      documentDroppedAt: droppedDays.droppedAt,
      erasedAt: currentFiles.erasedAt,
      attemptsBegun: currentFiles.attemptsBegun,
      attemptsEnded: currentFiles.attemptsEnded,
      quarantineKey: currentFiles.quarantineKey,
      quarantineNote: currentFiles.quarantineNote,
      /** The execution that takes care of it, or last did, since it was a dead letter. */
      claimedBy: files.claimedBy,
      firstSeenAt: currentFiles.createdAt,
      changedAt: currentFiles.changedAt,
      batch: {
        id: batches.id,
        requestId: batches.requestId,
        receivedAt: batches.receivedAt,
        committedAt: batches.committedAt,
        executionName: batches.executionName,
        startedAt: batches.startedAt,
      },
      replay: { id: replays.id, requestedBy: replays.requestedBy, why: replays.why, createdAt: replays.createdAt },
    })
    .from(currentFiles)
    .innerJoin(files, eq(files.id, currentFiles.id))
    .leftJoin(batches, eq(batches.id, files.batchId))
    .leftJoin(droppedDays, eq(droppedDays.day, files.loadedOn))
    .leftJoin(replays, eq(replays.id, files.replayId))
    .where(and(eq(files.bucket, bucket), eq(files.key, key)))
    // As `current_files` decides which one is newer: by sequencer where all have one; then whatever came last.
    .orderBy(
      sql`case when bool_and(${files.sequencerRank} is not null) over () then ${files.sequencerRank} end desc`,
      sql`date_trunc('second', coalesce(${files.lastModifiedAt}, ${files.eventAt}, ${files.createdAt})) desc`,
      sql`${files.sequencerRank} desc nulls last`,
      sql`${files.eventAt} desc nulls last`,
      desc(files.id),
    )
    .limit(limit)
}

export async function countVersionsOfKey(session: Session, bucket: string, key: string): Promise<number> {
  const [row] = await session
    .select({ count: count() })
    .from(files)
    .where(and(eq(files.bucket, bucket), eq(files.key, key)))
  return row?.count ?? 0
}

/**
 * The key whose quarantined copy has the given key, if there is one.
 *
 * @param fileId the ledger id that the copy's key carries: with it no index of these keys is needed
 */
export async function findKeyOfCopy(
  session: Session,
  fileId: number,
  quarantineKey: string,
): Promise<string | undefined> {
  const [row] = await session
    .select({ key: files.key })
    .from(files)
    .where(and(eq(files.id, fileId), eq(files.quarantineKey, quarantineKey)))
  return row?.key
}
