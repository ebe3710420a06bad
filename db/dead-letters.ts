/** Questions about dead letters: versions whose messages were received too often, until somebody loads or refuses them. */
import { and, asc, count, eq, inArray, isNull, lt, or, sql } from 'drizzle-orm'
import type { Session } from './client.ts'
import { files, type Reason } from './schema.ts'

/** One that was erased is nobody's to load. */
const isDeadLetter = and(eq(files.status, 'dead_letter'), isNull(files.erasedAt))

export interface Claim {
  /** Name of the drain that claims: of its first execution. */
  readonly drain: string
  /** How often the execution was redriven: what the drain had claimed in an earlier round, it may claim again. */
  readonly round: number
  /** How many at most. */
  readonly limit: number
  /** Seconds for which nobody else may claim the same. */
  readonly leaseSeconds: number
}

/**
 * Leases the next dead letters: those that nobody has leased, that another drain had leased for longer than it may, or that
 * the same drain had leased before it was redriven. Two drains at once get different ones.
 *
 * @returns ledger ids, ascending
 */
export async function claimDeadLetters(
  session: Session,
  { drain, round, limit, leaseSeconds }: Claim,
): Promise<number[]> {
  const free = session
    .select({ id: files.id })
    .from(files)
    .where(
      and(
        isDeadLetter,
        or(
          isNull(files.claimedUntil),
          and(
            lt(files.claimedUntil, sql`now()`),
            // Or a drain whose page took longer than its lease would claim what it could not load for ever.
            sql`(${files.claimedBy}, ${files.claimedRound}) is distinct from (${drain}::text, ${round}::integer)`,
          ),
          and(eq(files.claimedBy, drain), lt(files.claimedRound, round)),
        ),
      ),
    )
    .orderBy(asc(files.id))
    .limit(limit)
    .for('update', { skipLocked: true })
  const claimed = await session
    .update(files)
    .set({
      claimedBy: drain,
      claimedRound: round,
      claimedUntil: sql`now() + make_interval(secs => ${leaseSeconds})`,
    })
    .where(inArray(files.id, free))
    .returning({ id: files.id })
  return claimed.map((row) => row.id).toSorted((a, b) => a - b)
}

export interface DrainedGroup {
  readonly source: string | null
  readonly status: (typeof files.$inferSelect)['status']
  /** Of files that were refused. */
  readonly reasonKind: Reason['kind'] | null
  readonly count: number
}

/** What became of the dead letters that a drain has claimed, over all its executions and redrives. Of those not erased since. */
export async function summarizeDrain(session: Session, drain: string): Promise<DrainedGroup[]> {
  const reasonKind = sql<string | null>`${files.reason} ->> 'kind'`
  return await session
    .select({ source: files.source, status: files.status, reasonKind, count: count() })
    .from(files)
    .where(and(eq(files.claimedBy, drain), isNull(files.erasedAt)))
    .groupBy(files.source, files.status, reasonKind)
    .orderBy(files.source, files.status, reasonKind)
}

/** How many dead letters there are, and how many of them no drain has leased. */
export async function countDeadLetters(session: Session): Promise<{ total: number; unclaimed: number }> {
  const [row] = await session
    .select({
      total: count(),
      unclaimed: sql<number>`(count(*) filter (where ${files.claimedUntil} is null or ${files.claimedUntil} < now()))::integer`,
    })
    .from(files)
    .where(isDeadLetter)
  return row ?? { total: 0, unclaimed: 0 }
}
