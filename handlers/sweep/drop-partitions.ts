/** Drops the documents that are older than the stage keeps them, a day at a time. */
import { setTimeout as wait } from 'node:timers/promises'
import { dropDay, findOldDays, type OldDay } from '../../db/old-partitions.ts'
import type { SweepOutcome } from '../contract.ts'
import type { WithDatabase } from '../database.ts'
import { errorFacts } from '../errors.ts'
import { PARTITION_DROP_TRIES, PARTITION_DROP_WAIT_MS, PARTITION_DROPS_MAX } from '../limits.ts'
import { logger } from '../logger.ts'

/**
 * Drops what the marts have everything of. A day that cannot be dropped fails nothing: it is counted as overdue, and the next
 * sweep comes to it again. The first that somebody holds is the last that is tried, since whoever holds one holds them all.
 *
 * @param retentionDays days for which documents are kept after their load day
 * @throws a database error when the old days cannot even be listed
 */
export async function dropOldPartitions(
  withDatabase: WithDatabase,
  retentionDays: number,
): Promise<Pick<SweepOutcome, 'partitionsDropped' | 'partitionsOverdue'>> {
  const old = await withDatabase((database) => findOldDays(database, retentionDays))
  if (old.length === 0) return { partitionsDropped: 0, partitionsOverdue: 0 }
  try {
    for (const { day } of old.slice(0, PARTITION_DROPS_MAX)) {
      if (!(await dropOrLeave(withDatabase, retentionDays, day))) break
    }
  } catch (error) {
    logger.warn('an old partition could not be dropped', errorFacts(error))
  }
  const left = await withDatabase((database) => findOldDays(database, retentionDays))
  if (left.length > 0) logger.warn('partitions are older than they are kept for', { partitions: left.length })
  return { partitionsDropped: old.length - left.length, partitionsOverdue: left.length }
}

/** Whether to go on with the next day: false when somebody holds this one. */
async function dropOrLeave(withDatabase: WithDatabase, retentionDays: number, day: string): Promise<boolean> {
  for (let tries = 1; tries <= PARTITION_DROP_TRIES; tries++) {
    if (tries > 1) await wait(PARTITION_DROP_WAIT_MS)
    const found = await withDatabase(async (database): Promise<OldDay | undefined> => {
      // As it stands now: a try that was cut short may have got half of the way.
      return (await findOldDays(database, retentionDays)).find((old) => old.day === day)
    })
    if (found === undefined) return true
    const outcome = await withDatabase((database) => dropDay(database, found))
    if (outcome !== 'busy') return true
  }
  logger.warn('an old partition is in use', { day })
  return false
}
