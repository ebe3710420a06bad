/** How full the queues of a stage are. */
import { GetQueueAttributesCommand, GetQueueUrlCommand, type SQSClient } from '@aws-sdk/client-sqs'
import type { Stage } from './stage.ts'

export interface QueueDepths {
  /** Messages that wait to be received. SQS says all of these approximately. */
  readonly waiting: number
  /** Received and not yet acknowledged; those of a batch that failed come back from here. */
  readonly inFlight: number
  /** Given up after too many receives. */
  readonly deadLetters: number
}

export async function readQueueDepths({ name, sqs }: Pick<Stage, 'name' | 'sqs'>): Promise<QueueDepths> {
  const [ingest, deadLetter] = await Promise.all([
    readDepth(sqs, `sluice-${name}-ingest`),
    readDepth(sqs, `sluice-${name}-dead-letters`),
  ])
  return { ...ingest, deadLetters: deadLetter.waiting + deadLetter.inFlight }
}

async function readDepth(sqs: SQSClient, queueName: string): Promise<{ waiting: number; inFlight: number }> {
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: queueName }))
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl,
      AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
    }),
  )
  return {
    waiting: Number(Attributes.ApproximateNumberOfMessages ?? 0),
    inFlight: Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? 0),
  }
}
