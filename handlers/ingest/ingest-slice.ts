/** One slice: read its files, write them in one transaction, start the execution that the transaction asks for. */
import type { SFNClient } from '@aws-sdk/client-sfn'
import type { Context } from 'aws-lambda'
import { markExecutionStarted } from '../../db/batches.ts'
import { identityOf } from '../../db/files.ts'
import type { WithDatabase } from '../database.ts'
import { errorFacts } from '../errors.ts'
import { ANSWER_TIME_MS } from '../limits.ts'
import { logger } from '../logger.ts'
import type { CreatedObject } from '../s3-event.ts'
import type { Attempts } from './attempts.ts'
import { type FileOutcome, outcomesOf } from './measure.ts'
import type { Slice } from './plan-slices.ts'
import { condemnCrashed, type ObjectReader, type ReadFile, readFile } from './read-file.ts'
import { startExecution } from './start-execution.ts'
import { type WrittenSlice, writeSlice } from './write-slice.ts'

export interface IngestDependencies {
  readonly reader: ObjectReader
  readonly withDatabase: WithDatabase
  readonly attempts: Attempts
  readonly sfn: SFNClient
  readonly stateMachineArn: string
  readonly transformIntervalMinutes: number
}

export interface Invocation {
  readonly requestId: string
  readonly receivedAt: Date
  /** Aborted shortly before the function's timeout. */
  readonly end: AbortSignal
}

/** An invocation begins: what is not done shortly before the function's timeout is cut off and named. */
export function startInvocation(context: Context): Invocation {
  const timeout = Math.max(0, Math.floor(context.getRemainingTimeInMillis()) - ANSWER_TIME_MS)
  return { requestId: context.awsRequestId, receivedAt: new Date(), end: AbortSignal.timeout(timeout) }
}

/** What a slice has committed. */
export interface CommittedSlice {
  /** Identities of object versions; what could not be read is left out. */
  readonly versions: readonly string[]
  /** Ids of messages that are kept, since something in them can not be read. */
  readonly messages: readonly string[]
  /** Of the versions, for the metrics. */
  readonly outcomes: readonly FileOutcome[]
}

/**
 * Ingests a slice.
 *
 * @throws a database error when nothing was committed
 */
export async function ingestSlice(
  dependencies: IngestDependencies,
  slice: Slice,
  invocation: Invocation,
): Promise<CommittedSlice> {
  const { attempts, withDatabase, transformIntervalMinutes } = dependencies
  const { end } = invocation
  const attempted = slice.kind === 'alone' ? slice.objects[0] : undefined
  if (attempted !== undefined) await attempts.begin(attempted, end)
  try {
    const files =
      slice.kind === 'crashed'
        ? slice.objects.map(condemnCrashed)
        : await readFiles(dependencies.reader, slice.objects, end)
    const unreadable = slice.messages.flatMap(({ messageId, body, content }) =>
      content.unreadable === undefined ? [] : [{ messageId, body, reason: content.unreadable }],
    )
    if (files.length === 0 && unreadable.length === 0 && slice.objects.length > 0) {
      if (attempted !== undefined) await attempts.end(attempted, end)
      return { versions: [], messages: [], outcomes: [] }
    }
    const { requestId, receivedAt } = invocation
    const messages = slice.messages.length
    const read = { requestId, receivedAt, messages, unreadable, files, attempted, transformIntervalMinutes }
    const { recorded, ...written } = await withDatabase((database) => writeSlice(database, read), end)
    const outcomes = outcomesOf(files, recorded, new Date())
    await followUp(dependencies, slice, written, end)
    return {
      versions: files.map(({ object }) => identityOf(object)),
      messages: unreadable.map(({ messageId }) => messageId),
      outcomes,
    }
  } catch (error) {
    if (attempted !== undefined) await attempts.end(attempted, end)
    throw error
  }
}

/** Reads the files of a slice side by side. Those that could not be read are left out: they come again. */
async function readFiles(
  reader: ObjectReader,
  objects: readonly CreatedObject[],
  end: AbortSignal,
): Promise<ReadFile[]> {
  const reads = await Promise.allSettled(objects.map((object) => readFile(reader, object, end)))
  return reads.flatMap((read) => {
    if (read.status === 'fulfilled') return [read.value]
    logger.warn('file not read; it comes again', errorFacts(read.reason))
    return []
  })
}

/** After the commit. Nothing here may fail the slice: the batch row says what is still to be done. */
async function followUp(
  { withDatabase, sfn, stateMachineArn }: IngestDependencies,
  { kind, messages }: Slice,
  { execution, ...counts }: Omit<WrittenSlice, 'recorded'>,
  end: AbortSignal,
): Promise<void> {
  logger.info('batch committed', { slice: kind, messages: messages.length, ...counts, execution: execution?.name })
  if (execution === null || !(await startExecution(sfn, stateMachineArn, execution))) return
  await withDatabase((database) => markExecutionStarted(database, counts.batchId), end).catch((error: unknown) =>
    logger.warn('start of the execution not noted', { batchId: counts.batchId, ...errorFacts(error) }),
  )
}
