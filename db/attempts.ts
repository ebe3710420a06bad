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

/** Notes, in a commit of its own and before the file is touched, that a load of it alone begins. */
export async function beginAttempt(session: Session, file: Omit<FileRecord, 'status'>): Promise<void> {
  await session.transaction(async (transaction) => {
    await recordFiles(transaction, [{ ...file, status: 'attempted' }])
    await transaction
      .update(files)
      .set({ attemptsBegun: sql`${files.attemptsBegun} + 1` })
      .where(hasIdentity(file))
  })
}

/** Notes that an attempt ended, whatever its outcome: the file did not take the process with it. */
export async function endAttempt(session: Session, file: Identity): Promise<void> {
  await session
    .update(files)
    .set({ attemptsEnded: sql`${files.attemptsEnded} + 1` })
    .where(hasIdentity(file))
}
