/** Puts many messages into a queue. */
import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { MessagesNotSent } from './errors.ts'

/** Messages that SQS takes at once. */
const SEND_LIMIT = 10

/** @throws {MessagesNotSent} when SQS refused some; those before them are sent */
export async function sendMessages(sqs: SQSClient, queueUrl: string, bodies: readonly string[]): Promise<void> {
  for (let start = 0; start < bodies.length; start += SEND_LIMIT) {
    await send(sqs, queueUrl, bodies.slice(start, start + SEND_LIMIT))
  }
}

async function send(sqs: SQSClient, queueUrl: string, bodies: readonly string[]): Promise<void> {
  const entries = bodies.map((body, index) => ({ Id: String(index), MessageBody: body }))
  const { Failed = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries }))
  if (Failed.length > 0) {
    throw new MessagesNotSent(`${Failed.length} of ${bodies.length} messages: ${Failed[0]?.Code ?? 'no code'}`)
  }
}
