/** Whether an execution is to run the transform: when it is due, and nobody else does. */
import { BatchGetBuildsCommand, type CodeBuildClient, ListBuildsForProjectCommand } from '@aws-sdk/client-codebuild'
import { claimTransform } from '../../db/transforms.ts'
import type { ClaimTransformOutcome } from '../contract.ts'
import type { WithDatabase } from '../database.ts'
import { TransformNotStarted } from '../errors.ts'
import { BUILD_RECENT_MS } from '../limits.ts'
import { countOf, emitMetrics } from '../metrics.ts'

/**
 * Takes the lease for an execution that the clock has started, if a transform is due.
 *
 * @param end aborted shortly before the function's timeout
 */
export async function claim(
  withDatabase: WithDatabase,
  execution: string,
  intervalMinutes: number,
  end: AbortSignal,
): Promise<ClaimTransformOutcome> {
  const isClaimed = await withDatabase((database) => claimTransform(database, execution, intervalMinutes), end)
  emitMetrics([countOf('TransformsClaimed', isClaimed ? 1 : 0)])
  return { isClaimed, otherBuildId: null }
}

/**
 * Finds the build that kept this execution's build from starting: the project runs one at a time. CodeBuild says the same
 * when the account's quota of builds is used up, or is zero as in some new accounts. Then nothing runs, and somebody must
 * know.
 *
 * @throws {TransformNotStarted} when no build of the project runs, and none ended within the last minutes
 */
export async function requireAnotherRuns(
  codeBuild: CodeBuildClient,
  projectName: string,
): Promise<ClaimTransformOutcome> {
  const { ids = [] } = await codeBuild.send(new ListBuildsForProjectCommand({ projectName, sortOrder: 'DESCENDING' }))
  const { builds = [] } =
    ids.length === 0 ? {} : await codeBuild.send(new BatchGetBuildsCommand({ ids: ids.slice(0, 10) }))
  const isRecent = (endTime: Date | undefined) =>
    endTime === undefined || endTime.getTime() > Date.now() - BUILD_RECENT_MS
  const other = builds.find((build) => build.buildStatus === 'IN_PROGRESS' || isRecent(build.endTime))
  if (other?.id !== undefined) return { isClaimed: false, otherBuildId: other.id }
  throw new TransformNotStarted(
    `CodeBuild refused a build of ${projectName}, and no other runs: the account's quota of concurrently running builds is ` +
      'used up. Have it raised, then start the transform again.',
  )
}
