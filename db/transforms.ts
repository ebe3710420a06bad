/** Questions about the runs of dbt: who may start one, which ran, and how far they read. */
import { count, desc, eq, gte, sql } from 'drizzle-orm'
import type { Session } from './client.ts'
import { files, transformLease, transforms } from './schema.ts'

/**
 * Takes the lease for an interval, if a transform is due: the last success is older than the interval, and nobody holds the
 * lease. Of several that ask at once one gets it. Asked last in a transaction, since it locks the one row there is.
 *
 * @returns whether the holder is to start a transform
 */
export async function claimTransform(session: Session, holder: string, intervalMinutes: number): Promise<boolean> {
  const interval = sql`make_interval(mins => ${intervalMinutes})`
  const claimed = await session
    .update(transformLease)
    .set({ heldBy: holder, heldUntil: sql`now() + ${interval}` })
    .where(
      sql`coalesce(${transformLease.heldUntil} <= now(), true)
        and coalesce(${transformLease.succeededAt} <= now() - ${interval}, true)`,
    )
    .returning({ heldBy: transformLease.heldBy })
  return claimed.length > 0
}

/**
 * How far the marts are: since when the last run that succeeded had read everything, and how many files have changed after
 * that. Null and all of them when none ever succeeded.
 */
export async function measureMarts(session: Session) {
  const [last] = await session
    .select({ startedAt: transforms.startedAt, readBelow: transforms.readBelow })
    .from(transforms)
    .where(eq(transforms.outcome, 'succeeded'))
    .orderBy(desc(transforms.id))
    .limit(1)
  const [behind] = await session
    .select({ files: count() })
    .from(files)
    .where(last && gte(files.changedXid, last.readBelow))
  return { completeUntil: last?.startedAt ?? null, filesBehind: behind?.files ?? 0 }
}

/** The last runs, newest first. */
export async function listTransforms(session: Session, limit: number) {
  return await session.select().from(transforms).orderBy(desc(transforms.id)).limit(limit)
}
