/** Questions about loads of a file alone: how a file that takes the process with it is told from one that came at a bad time. */
import { and, eq, sql } from 'drizzle-orm'
import type { Session } from './client.ts'
import { type FileRecord, identityOf, recordFiles } from './files.ts'
import { files } from './schema.ts'

export type Identity = Pick<FileRecord, 'bucket' | 'key' | 'versionId'>

const hasIdentity = ({ bucket, key, versionId }: Identity) =>
  and(eq(files.bucket, bucket), eq(files.key, key), eq(files.versionId, versionId))

export interface KnownVersion {
  /** Whether an outcome is committed (vanished, poison, quarantined, loaded or erased), so that there is nothing left to do. */
  readonly isSettled: boolean
  /** Whether it is loaded or erased, so that not even a replay can change it. */
  readonly isFinal: boolean
  /** The last replay that had an outcome. */
  readonly replayId: number | null
  /** Whether its event has been heard. A version that only a listing has told of has none. */
  readonly hasSequencer: boolean
  /** Attempts that were begun and never ended. */
  readonly openAttempts: number
}

/** What the ledger knows of object versions, by {@link identityOf}. Versions that it does not know are left out. */
export async function findKnownVersions(
  session: Session,
  identities: readonly Identity[],
): Promise<Map<string, KnownVersion>> {
  if (identities.length === 0) return new Map()
  const columns = [
    identities.map(({ bucket }) => bucket),
    identities.map(({ key }) => key),
    identities.map(({ versionId }) => versionId),
  ].map((column) => sql.param(column))
  const rows = await session
    .select({
      bucket: files.bucket,
      key: files.key,
      versionId: files.versionId,
      isSettled: sql<boolean>`${files.status} >= 'vanished' or ${files.erasedAt} is not null`,
      isFinal: sql<boolean>`${files.status} = 'loaded' or ${files.erasedAt} is not null`,
      replayId: files.replayId,
      hasSequencer: sql<boolean>`${files.sequencer} is not null`,
      openAttempts: sql<number>`${files.attemptsBegun} - ${files.attemptsEnded}`,
    })
    .from(files)
    .where(
      sql`(${files.bucket}, ${files.key}, ${files.versionId}) in
        (select * from unnest(${columns[0]}::text[], ${columns[1]}::text[], ${columns[2]}::text[]))`,
    )
  return new Map(rows.map(({ bucket, key, versionId, ...known }) => [identityOf({ bucket, key, versionId }), known]))
}

/** An attempt that is being noted. */
export interface Attempt {
  /** The transaction that noted it, committed or not. */
  transactionId?: string
}

/**
 * Notes, in a commit of its own and before the file is touched, that a load of it alone begins.
 *
 * @param attempt the same one when this is asked again because no answer came: what was committed unheard is not counted twice, or
 *   three answers that got lost would make a crashing file of a good one
 */
export async function beginAttempt(
  session: Session,
  file: Omit<FileRecord, 'status'>,
  attempt: Attempt = {},
): Promise<void> {
  const isCounted =
    attempt.transactionId === undefined
      ? sql`false`
      : sql`pg_xact_status(${attempt.transactionId}::xid8) is not distinct from 'committed'`
  await session.transaction(async (transaction) => {
    // Also locks the row: once it is got, a transaction that nobody heard of has ended.
    await recordFiles(transaction, [{ ...file, status: 'attempted' }])
    const [noted] = await transaction
      .update(files)
      .set({ attemptsBegun: sql`${files.attemptsBegun} + 1` })
      .where(and(hasIdentity(file), sql`not ${isCounted}`))
      .returning({ transactionId: sql<string>`pg_current_xact_id()::text` })
    if (noted !== undefined) attempt.transactionId = noted.transactionId
  })
}

/**
 * Notes that an attempt ended, whatever its outcome: the file did not take the process with it. Asked again because no answer
 * came, it never has more attempts end than began.
 *
 * @param attempt one whose begin was not heard of: it ends only if that was committed
 */
export async function endAttempt(session: Session, file: Identity, attempt: Attempt = {}): Promise<void> {
  const isBegun =
    attempt.transactionId === undefined
      ? sql`true`
      : sql`pg_xact_status(${attempt.transactionId}::xid8) is not distinct from 'committed'`
  await session
    .update(files)
    .set({ attemptsEnded: sql`least(${files.attemptsEnded} + 1, ${files.attemptsBegun})` })
    .where(and(hasIdentity(file), isBegun))
}
