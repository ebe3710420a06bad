/** What SQS answers: the dead-letter queue of a program, and the replay queue, whose messages the ingest function gets too. */
import { z } from 'zod'
import type { Session } from '../../db/client.ts'
import { assertCollected } from './assertions.ts'
import type { QueueService } from './cloud.ts'
import type { Message } from './queue.ts'
import type { World } from './world.ts'

/** Messages of one receive. */
const RECEIVE_LIMIT = 10

const deletion = z.object({ Entries: z.array(z.object({ Id: z.string(), ReceiptHandle: z.string() })) })
const sending = z.object({ Entries: z.array(z.object({ Id: z.string(), MessageBody: z.string() })) })

export function openQueues(observer: Session, world: World): QueueService {
  const { deadLetters } = world
  const handleOf = ({ messageId }: Message): string => messageId
  return async (action, input) => {
    switch (action) {
      case 'GetQueueAttributes':
        return { Attributes: { ApproximateNumberOfMessages: String(deadLetters.visible.length) } }
      case 'ReceiveMessage': {
        const messages = deadLetters.visible.slice(0, RECEIVE_LIMIT)
        deadLetters.hide(messages)
        return {
          Messages: messages.map((message) => ({
            MessageId: message.messageId,
            ReceiptHandle: handleOf(message),
            Body: message.body,
          })),
        }
      }
      case 'DeleteMessageBatch': {
        const handles = new Set(deletion.parse(input).Entries.map(({ ReceiptHandle }) => ReceiptHandle))
        const messages = deadLetters.messages.filter((message) => handles.has(handleOf(message)))
        await assertCollected(observer, world.bucket.name, messages).catch((error: Error) =>
          world.violations.push(error),
        )
        deadLetters.delete(messages)
        return { Successful: [], Failed: [] }
      }
      case 'SendMessageBatch':
        for (const { MessageBody } of sending.parse(input).Entries) world.sendReplay(MessageBody)
        return { Successful: [], Failed: [] }
      default:
        throw new Error(`the queues in memory do not know ${action}`)
    }
  }
}
