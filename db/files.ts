/** Questions about the ledger. */
import { asc, inArray, sql } from 'drizzle-orm'
import type { Session } from './client.ts'
import { files } from './schema.ts'

/** What a writer may say of an object version. The ledger itself adds id, times and transaction. */
export const recordColumns = {
  bucket: files.bucket,
  key: files.key,
  versionId: files.versionId,
  status: files.status,
  source: files.source,
  sequencer: files.sequencer,
  sizeBytes: files.sizeBytes,
  eventAt: files.eventAt,
  lastModifiedAt: files.lastModifiedAt,
  reason: files.reason,
  contractVersion: files.contractVersion,
  records: files.records,
  loadedOn: files.loadedOn,
  batchId: files.batchId,
  replayId: files.replayId,
  quarantineKey: files.quarantineKey,
  quarantineNote: files.quarantineNote,
}

type FileRow = typeof files.$inferSelect

/** A row of the ledger as a writer hands it in: identity, status and what is known. */
export type FileRecord = Pick<FileRow, 'bucket' | 'key' | 'versionId' | 'status'> &
  Partial<Pick<FileRow, keyof typeof recordColumns>>

/** A row of the ledger as it stands. */
export type KnownFile = Pick<FileRow, 'id' | 'erasedAt' | keyof typeof recordColumns>

export type RecordedFile = Pick<FileRow, 'id' | 'bucket' | 'key' | 'versionId' | 'status'>

/** One text per object version, for use as a key in memory. Keys may hold any character but NUL. */
export const identityOf = (file: Pick<FileRecord, 'bucket' | 'key' | 'versionId'>): string =>
  `${file.bucket}\0${file.key}\0${file.versionId}`

/**
 * Writes what was found out about object versions: the one upsert that every writer uses. A new version is inserted; a known
 * one is updated only where the new status ranks higher, so the order of arrival does not matter. Facts once known (source,
 * sequencer, sizes, times) are kept when the new row does not have them. The one exception: a replay that is refused again
 * puts its reason in the place of the old one, and the status, with the copy, stays. What was erased is never updated: whoever
 * had read it before cannot bring it back.
 *
 * A version that a listing made known takes sequencer and time of its event when that comes, whatever its status: its place
 * among the versions of its key may be another then.
 *
 * @param records at most one per identity; PostgreSQL refuses to update a row twice in a statement (21000)
 * @returns the rows written, and only those, with the status that they have now: documents may be written for exactly those
 *   that are loaded
 */
export async function recordFiles(session: Session, records: readonly FileRecord[]): Promise<RecordedFile[]> {
  if (records.length === 0) return []
  // Every writer takes its row locks in this order, so two of them cannot deadlock.
  const sorted = records.toSorted((a, b) => (identityOf(a) < identityOf(b) ? -1 : 1))
  const recorded = await session
    .insert(files)
    .values(sorted)
    .onConflictDoUpdate({
      target: [files.bucket, files.key, files.versionId],
      set: {
        status: sql`greatest(excluded.status, files.status)`,
        source: sql`coalesce(excluded.source, files.source)`,
        sequencer: sql`coalesce(excluded.sequencer, files.sequencer)`,
        sizeBytes: sql`coalesce(excluded.size_bytes, files.size_bytes)`,
        // What a listing says of the time is less exact than the event.
        eventAt: sql`case
          when excluded.sequencer is null then coalesce(files.event_at, excluded.event_at)
          else coalesce(excluded.event_at, files.event_at)
        end`,
        lastModifiedAt: sql`coalesce(excluded.last_modified_at, files.last_modified_at)`,
        reason: sql`excluded.reason`,
        contractVersion: sql`excluded.contract_version`,
        records: sql`excluded.records`,
        loadedOn: sql`excluded.loaded_on`,
        batchId: sql`coalesce(excluded.batch_id, files.batch_id)`,
        replayId: sql`coalesce(excluded.replay_id, files.replay_id)`,
        quarantineKey: sql`coalesce(excluded.quarantine_key, files.quarantine_key)`,
        quarantineNote: sql`coalesce(excluded.quarantine_note, files.quarantine_note)`,
        changedAt: sql`now()`,
        changedXid: sql`pg_current_xact_id()`,
      },
      setWhere: sql`files.erased_at is null and (excluded.status > files.status or (
        excluded.replay_id is not null and excluded.status = 'poison' and files.status in ('poison', 'quarantined')
      ))`,
    })
    .returning({
      id: files.id,
      bucket: files.bucket,
      key: files.key,
      versionId: files.versionId,
      status: files.status,
    })
  await takeSequencers(session, sorted, recorded)
  return recorded
}

/**
 * Of versions whose status is not written, since it is known as well or better. Within a transaction their rows are locked
 * already: the upsert locks each that it conflicts with, in order.
 * https://www.postgresql.org/docs/17/sql-insert.html#SQL-ON-CONFLICT
 */
async function takeSequencers(
  session: Session,
  records: readonly FileRecord[],
  recorded: readonly RecordedFile[],
): Promise<void> {
  const written = new Set(recorded.map(identityOf))
  const known = records.filter((record) => typeof record.sequencer === 'string' && !written.has(identityOf(record)))
  if (known.length === 0) return
  const [buckets, keys, versionIds, sequencers, times] = [
    known.map(({ bucket }) => bucket),
    known.map(({ key }) => key),
    known.map(({ versionId }) => versionId),
    known.map(({ sequencer }) => sequencer),
    known.map(({ eventAt }) => eventAt?.toISOString() ?? null),
  ].map((column) => sql.param(column))
  await session.execute(sql`
    update ingest.files as file
    set sequencer = event.sequencer, event_at = coalesce(event.event_at, file.event_at), changed_xid = pg_current_xact_id()
    from unnest(
      ${buckets}::text[], ${keys}::text[], ${versionIds}::text[], ${sequencers}::text[], ${times}::timestamptz[]
    ) as event (bucket, key, version_id, sequencer, event_at)
    where file.bucket = event.bucket and file.key = event.key and file.version_id = event.version_id
      and file.sequencer is null`)
}

/** The ledger rows with these ids, in the order of their ids; ids that do not exist are left out. */
export async function findFiles(session: Session, ids: readonly number[]): Promise<KnownFile[]> {
  return await session
    .select({ id: files.id, erasedAt: files.erasedAt, ...recordColumns })
    .from(files)
    .where(inArray(files.id, [...ids]))
    .orderBy(asc(files.id))
}

/** Ids of refused files without a copy whose refusal is older than so many minutes, the oldest first. */
export async function findForgottenPoison(session: Session, afterMinutes: number, limit: number): Promise<number[]> {
  const rows = await session
    .select({ id: files.id })
    .from(files)
    .where(
      sql`${files.status} = 'poison' and ${files.erasedAt} is null
        and ${files.changedAt} < now() - make_interval(mins => ${afterMinutes})`,
    )
    .orderBy(files.changedAt)
    .limit(limit)
  return rows.map((row) => row.id)
}
