/** Questions about replays: which files, how far, and the audit. */
import { and, asc, eq, gt, inArray, isNull, sql } from 'drizzle-orm'
import type { Session } from './client.ts'
import { type KnownFile, recordColumns } from './files.ts'
import { files, type ReplaySelection, replays } from './schema.ts'

/** What is replayed when no status is asked for: what was refused. */
const REFUSED = ['poison', 'quarantined'] as const

/** The next files of a selection, by ascending id. What was erased is in none. */
export async function selectForReplay(
  session: Session,
  selection: ReplaySelection,
  { afterId, limit }: { afterId: number; limit: number },
): Promise<KnownFile[]> {
  const { source, prefix, since, until, reason, status } = selection
  return await session
    .select({ id: files.id, erasedAt: files.erasedAt, ...recordColumns })
    .from(files)
    .where(
      and(
        gt(files.id, afterId),
        isNull(files.erasedAt),
        inArray(files.status, status === undefined ? REFUSED : [status]),
        source === undefined ? undefined : eq(files.source, source),
        prefix === undefined ? undefined : sql`starts_with(${files.key}, ${prefix})`,
        since === undefined ? undefined : sql`${files.eventAt} >= ${since}::timestamptz`,
        until === undefined ? undefined : sql`${files.eventAt} < ${until}::timestamptz`,
        reason === undefined ? undefined : sql`${files.reason} ->> 'kind' = ${reason}`,
      ),
    )
    .orderBy(asc(files.id))
    .limit(limit)
}

/** The replay of an execution: as it was left, or made now. */
export async function openReplay(
  session: Session,
  replay: Pick<typeof replays.$inferInsert, 'executionName' | 'requestedBy' | 'why' | 'selection'>,
) {
  await session.insert(replays).values(replay).onConflictDoNothing({ target: replays.executionName })
  const [row] = await session.select().from(replays).where(eq(replays.executionName, replay.executionName))
  if (row === undefined) throw new Error(`the replay of ${replay.executionName} was not written`)
  return row
}

/** Notes that a page was sent, and whether it was the last. */
export async function noteReplayProgress(
  session: Session,
  replayId: number,
  { sentUpToId, filesSent, isDone }: { sentUpToId: number; filesSent: number; isDone: boolean },
): Promise<void> {
  await session
    .update(replays)
    .set({ sentUpToId, filesSent, ...(isDone && { finishedAt: sql`now()` }) })
    .where(eq(replays.id, replayId))
}
