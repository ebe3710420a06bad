/** Starts a build, waits for its end, and says why it failed in the build's own words. */
import { setTimeout as pause } from 'node:timers/promises'
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs'
import { BatchGetBuildsCommand, type Build, type CodeBuildClient, StartBuildCommand } from '@aws-sdk/client-codebuild'
import { BuildFailed, BuildUnfinished, errorFacts } from '../errors.ts'
import { ACCESS_SETTLES_MS, BUILD_ANSWER_TIME_MS, BUILD_POLL_MS } from '../limits.ts'
import { logger } from '../logger.ts'
import { emitMetrics, type Measurement } from '../metrics.ts'
import { readLogTail } from './log-tail.ts'
import { tellFailure } from './tell-failure.ts'

export interface BuildClients {
  readonly codebuild: CodeBuildClient
  readonly logs: CloudWatchLogsClient
}

export interface BuildOutcome {
  readonly buildId: string
  readonly status: 'SUCCEEDED'
}

/**
 * Runs a build of the project.
 *
 * @param token of this invocation: when the answer to a start is lost, the repetition gets the same build. Not of the
 *   source, or a deployment that is repeated within five minutes would get the build that failed before.
 * @param remainingMs time that the invocation has left
 * @param wait stands in for time in tests
 * @throws {BuildFailed} with the end of the build's log
 * @throws {BuildUnfinished} when the time is over; a build that was started goes on
 */
export async function runBuild(
  { codebuild, logs }: BuildClients,
  projectName: string,
  token: string,
  remainingMs: () => number,
  wait: (milliseconds: number) => Promise<unknown> = pause,
): Promise<BuildOutcome> {
  const time: Time = { leftMs: () => remainingMs() - BUILD_ANSWER_TIME_MS, wait }
  const start = new StartBuildCommand({ projectName, idempotencyToken: token })
  const started = await untilAnswered(() => codebuild.send(start), time, `No build of ${projectName} could be started`)
  const buildId = started.build?.id ?? ''
  logger.info('build started', { buildId })

  const unfinished = `${buildId} has not ended in the time of this function. It goes on: see its log in CodeBuild`
  const get = new BatchGetBuildsCommand({ ids: [buildId] })
  for (let pauseMs = BUILD_POLL_MS.first; ; pauseMs = Math.min(2 * pauseMs, BUILD_POLL_MS.longest)) {
    if (time.leftMs() < pauseMs) throw new BuildUnfinished(`${unfinished}.`)
    await wait(pauseMs)
    const { builds } = await untilAnswered(() => codebuild.send(get), time, unfinished)
    const build = builds?.[0]
    // A build that was only just started may not be found yet.
    if (build === undefined || build.buildStatus === 'IN_PROGRESS') continue
    emitMetrics(measureBuild(build))
    if (build.buildStatus === 'SUCCEEDED') return { buildId, status: 'SUCCEEDED' }
    throw await failureOf(logs, build, wait)
  }
}

/** How long it took, whether it succeeded or not. */
function measureBuild({ startTime, endTime }: Build): Measurement[] {
  if (startTime === undefined || endTime === undefined) return []
  const seconds = (endTime.getTime() - startTime.getTime()) / 1_000
  return [{ name: 'BuildSeconds', unit: 'Seconds', values: [seconds] }]
}

interface Time {
  readonly leftMs: () => number
  readonly wait: (milliseconds: number) => Promise<unknown>
}

async function failureOf(logs: CloudWatchLogsClient, build: Build, wait: Time['wait']): Promise<BuildFailed> {
  const lines = await readLogTail(logs, build.logs, wait)
  logger.error('build failed', { buildId: build.id, status: build.buildStatus, logLines: lines.length })
  return new BuildFailed(tellFailure(build, lines))
}

/** Calls AWS until it answers. Trouble that may pass is waited out; a quota of builds that is used up is one. */
async function untilAnswered<Answer>(call: () => Promise<Answer>, time: Time, otherwise: string): Promise<Answer> {
  const leftAtFirstMs = time.leftMs()
  for (;;) {
    try {
      return await call()
    } catch (error) {
      // A role that was made seconds ago is not known everywhere yet.
      const isSettling = isAccessDenied(error) && leftAtFirstMs - time.leftMs() < ACCESS_SETTLES_MS
      if (!isSettling && !mayPass(error)) throw error
      if (time.leftMs() < BUILD_POLL_MS.longest) throw new BuildUnfinished(`${otherwise} (${errorFacts(error).error}).`)
      logger.warn('AWS did not answer, trying again', errorFacts(error))
      await time.wait(BUILD_POLL_MS.longest)
    }
  }
}

const isAccessDenied = (error: unknown): boolean => error instanceof Error && error.name === 'AccessDeniedException'

/** Throttled, a quota used up, AWS's own fault, or no answer at all: anything but a call that is wrong. */
function mayPass(error: unknown): boolean {
  const { error: name, code, httpStatus } = errorFacts(error)
  if (httpStatus === undefined) return code !== undefined || name === 'TimeoutError'
  return httpStatus === 429 || httpStatus >= 500 || /Throttl|LimitExceeded|TooMany/.test(name)
}
