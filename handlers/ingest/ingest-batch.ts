/** One invocation: read a batch of messages, write what they brought, start its execution, say what must come again. */
import { BatchProcessor, EventType } from '@aws-lambda-powertools/batch'
import type { SFNClient } from '@aws-sdk/client-sfn'
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda'
import { markExecutionStarted } from '../../db/batches.ts'
import type { WithDatabase } from '../database.ts'
import { errorFacts } from '../errors.ts'
import { logger } from '../logger.ts'
import { type ObjectReader, type ReadMessage, readMessage } from './read-message.ts'
import { startExecution } from './start-execution.ts'
import { type ReadBatch, type WrittenBatch, writeBatch } from './write-batch.ts'

export interface IngestDependencies {
  readonly reader: ObjectReader
  readonly withDatabase: WithDatabase
  readonly sfn: SFNClient
  readonly stateMachineArn: string
}

/**
 * Ingests a batch. A message is acknowledged only when everything it names is committed; a bad file is committed as poison
 * and acknowledged, only trouble with S3 or the database sends its messages back to the queue.
 */
export async function ingestBatch(
  dependencies: IngestDependencies,
  event: SQSEvent,
  context: Context,
): Promise<SQSBatchResponse> {
  const receivedAt = new Date()
  const messages = await readMessages(dependencies.reader, event.Records, context)
  const written =
    messages.length > 0 && (await tryToWrite(dependencies, { requestId: context.awsRequestId, receivedAt, messages }))
  const acknowledged = new Set(written ? messages.map((message) => message.messageId) : [])
  return {
    batchItemFailures: event.Records.filter(({ messageId }) => !acknowledged.has(messageId)).map(({ messageId }) => ({
      itemIdentifier: messageId,
    })),
  }
}

/** Phase one. Messages that could not be read are left out: they return to the queue. */
async function readMessages(reader: ObjectReader, records: SQSRecord[], context: Context): Promise<ReadMessage[]> {
  const read: ReadMessage[] = []
  const processor = new BatchProcessor(EventType.SQS)
  processor.register(
    records,
    async (record: SQSRecord) => {
      try {
        read.push(await readMessage(reader, record))
      } catch (error) {
        logger.warn('message returns to the queue', { messageId: record.messageId, ...errorFacts(error) })
        throw error
      }
    },
    { context, throwOnFullBatchFailure: false },
  )
  await processor.process()
  return read
}

/** Phase two, and the start of the execution. Says whether the batch is committed. */
async function tryToWrite(dependencies: IngestDependencies, batch: ReadBatch): Promise<boolean> {
  const { withDatabase, sfn, stateMachineArn } = dependencies
  let written: WrittenBatch
  try {
    written = await withDatabase((database) => writeBatch(database, batch))
  } catch (error) {
    logger.error('batch not committed; its messages return to the queue', {
      messages: batch.messages.length,
      ...errorFacts(error),
    })
    return false
  }
  const { execution, ...counts } = written
  logger.info('batch committed', { messages: batch.messages.length, ...counts, execution: execution?.name })
  if (execution !== null && (await startExecution(sfn, stateMachineArn, execution))) {
    await withDatabase((database) => markExecutionStarted(database, written.batchId)).catch((error: unknown) =>
      logger.warn('start of the execution not noted', { batchId: written.batchId, ...errorFacts(error) }),
    )
  }
  return true
}
