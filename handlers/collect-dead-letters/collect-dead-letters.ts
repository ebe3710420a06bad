/** Takes dead letters out of their queue, where they would expire, into the ledger, where they are found again. */
import { DeleteMessageBatchCommand, type Message, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { sql } from 'drizzle-orm'
import { type FileRecord, identityOf, recordFiles } from '../../db/files.ts'
import { keepMessages } from '../../db/messages.ts'
import type { CollectDeadLettersOutcome } from '../contract.ts'
import type { WithDatabase } from '../database.ts'
import { COLLECT_TIME_MIN_MS } from '../limits.ts'
import { countOf, emitMetrics } from '../metrics.ts'
import { type CreatedObject, combine, parseMessage } from '../s3-event.ts'
import { findSource } from '../sources/registry.ts'

export interface CollectDependencies {
  readonly sqs: SQSClient
  readonly queueUrl: string
  readonly withDatabase: WithDatabase
}

/** Seconds a receive waits: any wait asks all of SQS's servers, where none may find a queue empty that is not. */
const RECEIVE_WAIT_SECONDS = 1

/**
 * Collects until the queue is empty or the time is over. A message is deleted only after its versions are committed as
 * `dead_letter` (or the ledger knew better), so that a crash in between means collecting it twice, which is harmless.
 *
 * @param remaining milliseconds that are left
 * @param end aborted shortly before the function's timeout
 */
export async function collectDeadLetters(
  dependencies: CollectDependencies,
  remaining: () => number,
  end: AbortSignal,
): Promise<CollectDeadLettersOutcome> {
  // Before anything is received: what is received in vain is invisible for a while, which would switch the alarm off, and
  // on again, and tell of the same outage twice.
  await dependencies.withDatabase((database) => database.execute(sql`select 1`), end)
  let collected = 0
  try {
    while (remaining() > COLLECT_TIME_MIN_MS) {
      const messages = await receive(dependencies)
      if (messages.length === 0) return { collected, isDrained: true }
      await record(dependencies, messages, end)
      await remove(dependencies, messages)
      collected += messages.length
    }
    return { collected, isDrained: false }
  } finally {
    emitMetrics([countOf('DeadLettersCollected', collected)])
  }
}

async function receive({ sqs, queueUrl }: CollectDependencies): Promise<Message[]> {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: RECEIVE_WAIT_SECONDS,
    }),
  )
  return Messages
}

async function record(
  { withDatabase }: CollectDependencies,
  messages: readonly Message[],
  end: AbortSignal,
): Promise<void> {
  const read = messages.map(({ MessageId: messageId = '', Body: body = '' }) => ({
    messageId,
    body,
    content: parseMessage(body),
  }))
  const versions = new Map<string, CreatedObject>()
  for (const object of read.flatMap(({ content }) => content.objects)) {
    versions.set(identityOf(object), combine(versions.get(identityOf(object)), object))
  }
  const records = [...versions.values()].map(
    (object): FileRecord => ({ ...object, source: findSource(object.key)?.name ?? null, status: 'dead_letter' }),
  )
  const unreadable = read.flatMap(({ messageId, body, content }) =>
    content.unreadable === undefined ? [] : [{ messageId, body, reason: content.unreadable }],
  )
  await withDatabase(
    (database) =>
      database.transaction(async (transaction) => {
        await recordFiles(transaction, records)
        await keepMessages(transaction, null, unreadable)
      }),
    end,
  )
}

/** A message that could not be deleted comes again, and is known by then. */
async function remove({ sqs, queueUrl }: CollectDependencies, messages: readonly Message[]): Promise<void> {
  const entries = messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }))
  await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries }))
}
