/** Hands a drain its next dead letters, and at the end says what became of them. */
import type { z } from 'zod'
import { claimDeadLetters, type DrainedGroup, summarizeDrain } from '../../db/dead-letters.ts'
import type { ClaimDeadLettersOutcome, claimDeadLettersInput } from '../contract.ts'
import type { WithDatabase } from '../database.ts'
import { DeadLettersRemain } from '../errors.ts'
import { CLAIM_LEASE_SECONDS, CLAIM_PAGE } from '../limits.ts'
import { countOf, emitMetrics } from '../metrics.ts'
import { writeNotice } from './notice.ts'

/**
 * Claims the next page. When there is none, sums the drain up.
 *
 * @param end aborted shortly before the function's timeout
 * @throws {DeadLettersRemain} when asked to, nothing can be claimed, and some of the drain's files are still dead
 */
export async function claimNextPage(
  withDatabase: WithDatabase,
  { drain, executionArn, round, requireNoneRemain }: z.infer<typeof claimDeadLettersInput>,
  end: AbortSignal,
): Promise<ClaimDeadLettersOutcome> {
  const claim = { drain, round, limit: CLAIM_PAGE, leaseSeconds: CLAIM_LEASE_SECONDS }
  const fileIds = await withDatabase((database) => claimDeadLetters(database, claim), end)
  emitMetrics([countOf('DeadLettersClaimed', fileIds.length)])
  if (fileIds.length > 0) return { fileIds, notice: null }

  const groups = await withDatabase((database) => summarizeDrain(database, drain), end)
  const remaining = countStillDead(groups)
  if (requireNoneRemain && remaining > 0) {
    throw new DeadLettersRemain(
      `${remaining} dead letters could not be loaded. Mend the cause and redrive ${executionArn.split(':').at(-1)}.`,
    )
  }
  return { fileIds: [], notice: groups.length === 0 ? null : writeNotice(groups, executionArn) }
}

const countStillDead = (groups: readonly DrainedGroup[]): number =>
  groups
    .filter(({ status }) => status === 'dead_letter' || status === 'attempted')
    .reduce((sum, { count }) => sum + count, 0)
