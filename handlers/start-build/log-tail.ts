/** The last lines that a build wrote. */
import { type CloudWatchLogsClient, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import type { LogsLocation } from '@aws-sdk/client-codebuild'
import { errorFacts } from '../errors.ts'
import { LOG_LATE_READS, LOG_READ_LIMIT_MS, LOG_READ_PAUSE_MS } from '../limits.ts'
import { logger } from '../logger.ts'

/** Events to look through for the program's own lines: CodeBuild writes about thirty around them. */
const EVENTS = 100

/** What CodeBuild itself tells of the build's phases. */
const OF_CODEBUILD = /^\[Container\] /

/**
 * Reads the end of a build's log: the program's own lines, or CodeBuild's when the program wrote none. The last lines come a
 * few seconds after the build's end, so it reads until two readings agree. Without a log there are no lines, and no error.
 */
export async function readLogTail(
  client: CloudWatchLogsClient,
  { groupName, streamName }: LogsLocation = {},
  wait: (milliseconds: number) => Promise<unknown>,
): Promise<string[]> {
  if (!groupName || !streamName) return []
  const command = new GetLogEventsCommand({
    ...{ logGroupName: groupName, logStreamName: streamName },
    ...{ startFromHead: false, limit: EVENTS },
  })
  const abortSignal = AbortSignal.timeout(LOG_READ_LIMIT_MS)
  let lines: string[] = []
  for (let reads = 0; reads < LOG_LATE_READS && !abortSignal.aborted; reads++) {
    const before = lines.length
    try {
      const { events = [] } = await client.send(command, { abortSignal })
      lines = events.flatMap(({ message = '' }) => message.split('\n')).filter((line) => line.trim() !== '')
    } catch (error) {
      logger.warn('log not read', errorFacts(error))
    }
    if (lines.length > 0 && lines.length === before) break
    await wait(LOG_READ_PAUSE_MS)
  }
  const own = lines.filter((line) => !OF_CODEBUILD.test(line))
  return own.length > 0 ? own : lines
}
