/** One invocation: cut its messages into slices, ingest one after the other, acknowledge what is committed. */
import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch'
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda'
import { findKnownVersions, type KnownVersion } from '../../db/attempts.ts'
import { identityOf } from '../../db/files.ts'
import { errorFacts, NotCommitted } from '../errors.ts'
import { SLICE_TIME_MIN_MS } from '../limits.ts'
import { logger } from '../logger.ts'
import { emitMetrics } from '../metrics.ts'
import type { CreatedObject } from '../s3-event.ts'
import { type IngestDependencies, type Invocation, ingestSlice, startInvocation } from './ingest-slice.ts'
import { type FileOutcome, measureInvocation } from './measure.ts'
import { objectsOf, planSlices, type ReceivedMessage, receiveMessage } from './plan-slices.ts'

/**
 * Ingests a batch. A message is acknowledged only when everything it names is committed; a bad file is committed as poison
 * and acknowledged, only trouble with S3 or the database, or too little time, sends messages back to the queue.
 */
export async function ingestBatch(
  dependencies: IngestDependencies,
  event: SQSEvent,
  context: Context,
): Promise<SQSBatchResponse> {
  const remaining = () => Math.floor(context.getRemainingTimeInMillis())
  const timeout = remaining()
  const invocation = startInvocation(context)
  const messages = event.Records.map(receiveMessage)
  const versions = new Set<string>()
  const kept = new Set<string>()
  const outcomes: FileOutcome[] = []

  const known = await recall(dependencies, messages, invocation)
  if (known === undefined) {
    emitMetrics(measureInvocation(messages, 0, []))
    return await acknowledge(event, context, () => false)
  }
  for (const [identity, { isSettled }] of known) if (isSettled) versions.add(identity)

  const slices = planSlices(messages, known)
  for (const [index, slice] of slices.entries()) {
    if (remaining() < Math.min(SLICE_TIME_MIN_MS, timeout / 4)) {
      logger.warn('no time for more slices; their messages return to the queue', { left: slices.length - index })
      break
    }
    try {
      const committed = await ingestSlice(dependencies, slice, invocation)
      for (const identity of committed.versions) versions.add(identity)
      for (const messageId of committed.messages) kept.add(messageId)
      outcomes.push(...committed.outcomes)
    } catch (error) {
      logger.error('batch not committed; its messages return to the queue', {
        slice: slice.kind,
        messages: slice.messages.length,
        ...errorFacts(error),
      })
    }
  }
  // Once for all slices, or a hundred files that are loaded alone would be two hundred lines.
  emitMetrics(measureInvocation(messages, slices.length, outcomes))

  const isDone = new Map(
    messages.map((message) => [
      message.messageId,
      objectsOf(message).every((object) => versions.has(identityOf(object))) &&
        (message.content.unreadable === undefined || kept.has(message.messageId)),
    ]),
  )
  return await acknowledge(event, context, ({ messageId }) => isDone.get(messageId) === true)
}

/** What the ledger knows of redelivered versions; undefined when it cannot be asked. */
async function recall(
  { withDatabase, attempts }: IngestDependencies,
  messages: readonly ReceivedMessage[],
  { end }: Invocation,
): Promise<Map<string, KnownVersion> | undefined> {
  const redelivered = messages.filter(({ isRedelivered }) => isRedelivered).flatMap(objectsOf)
  if (redelivered.length === 0) return new Map()
  try {
    await attempts.catchUp(end)
    const known = await withDatabase((database) => findKnownVersions(database, redelivered), end)
    for (const object of redelivered) {
      const version = known.get(identityOf(object))
      if (version !== undefined) known.set(identityOf(object), { ...version, isSettled: isSettledFor(object, version) })
    }
    return known
  } catch (error) {
    logger.error('ledger not reached; all messages return to the queue', {
      messages: messages.length,
      ...errorFacts(error),
    })
    return undefined
  }
}

/** Whether a message has nothing more to say of a version that the ledger knows. */
function isSettledFor({ replay, sequencer }: CreatedObject, version: KnownVersion): boolean {
  // A replay begins with files that have an outcome: what counts is whether this replay has had one.
  if (replay !== undefined) return version.isFinal || version.replayId === replay.id
  // The event of a version that a listing made known brings its sequencer.
  return version.isSettled && (version.hasSequencer || sequencer === null)
}

/** The last thing that happens: names the messages that must come again. */
async function acknowledge(
  event: SQSEvent,
  context: Context,
  isDone: (record: SQSRecord) => boolean,
): Promise<SQSBatchResponse> {
  const checkRecord = async (record: SQSRecord): Promise<void> => {
    if (!isDone(record)) throw new NotCommitted(`message ${record.messageId} returns to the queue`)
  }
  const processor = new BatchProcessor(EventType.SQS)
  return await processPartialResponse(event, checkRecord, processor, {
    context,
    throwOnFullBatchFailure: false,
  })
}
