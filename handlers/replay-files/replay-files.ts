/** Has a selection of files loaded again: sends their events to the replay queue, which feeds the ingest function. */
import type { SQSClient } from '@aws-sdk/client-sqs'
import { noteReplayProgress, openReplay, selectForReplay } from '../../db/replays.ts'
import type { ReplaySelection } from '../../db/schema.ts'
import type { ReplayFilesOutcome } from '../contract.ts'
import type { WithDatabase } from '../database.ts'
import { REPLAY_PAGE } from '../limits.ts'
import { countOf, emitMetrics } from '../metrics.ts'
import { writeMessage } from '../s3-event.ts'
import { sendMessages } from '../send-messages.ts'

export interface ReplayDependencies {
  readonly sqs: SQSClient
  readonly queueUrl: string
  readonly withDatabase: WithDatabase
}

export interface ReplayRequest {
  /** Name of the execution: it has one replay, however often this is called. */
  readonly execution: string
  readonly requestedBy: string
  readonly why: string
  readonly selection: ReplaySelection
}

/**
 * Sends the next page of a replay. How far it came is noted after a page was sent, so that a crash in between sends the
 * page twice, which the ledger knows how to take.
 *
 * @throws {MessagesNotSent} when SQS refused some; the page is sent again
 */
export async function replayNextPage(
  { sqs, queueUrl, withDatabase }: ReplayDependencies,
  { execution: executionName, requestedBy, why, selection }: ReplayRequest,
): Promise<ReplayFilesOutcome> {
  const replay = await withDatabase((database) => openReplay(database, { executionName, requestedBy, why, selection }))
  if (replay.finishedAt !== null) return { replayId: replay.id, filesSent: replay.filesSent, isDone: true }

  const page = { afterId: replay.sentUpToId, limit: REPLAY_PAGE }
  const files = await withDatabase((database) => selectForReplay(database, replay.selection, page))
  const bodies = files.map((file) => writeMessage(file, { id: replay.id, copyKey: file.quarantineKey }))
  await sendMessages(sqs, queueUrl, bodies)

  const progress = {
    sentUpToId: files.at(-1)?.id ?? replay.sentUpToId,
    filesSent: replay.filesSent + files.length,
    isDone: files.length < REPLAY_PAGE,
  }
  await withDatabase((database) => noteReplayProgress(database, replay.id, progress))
  emitMetrics([countOf('FilesReplayed', files.length)])
  return { replayId: replay.id, filesSent: progress.filesSent, isDone: progress.isDone }
}
