/** An SQS queue: at least once, in any order. What is taken stays until it is acknowledged. */
import type { SQSRecord } from 'aws-lambda'
import { sqsRecord } from '../support/s3-events.ts'
import type { ObjectVersion } from './bucket.ts'
import type { Batch } from './program.ts'

export interface Message {
  readonly messageId: string
  readonly body: string
  readonly versions: readonly ObjectVersion[]
  /** Whether it must be kept in `ingest.messages`, since no object can be read from it. */
  readonly isUnreadable: boolean
}

export class Queue {
  readonly #receives = new Map<Message, number>()
  readonly #hidden = new Set<Message>()

  get messages(): Message[] {
    return [...this.#receives.keys()]
  }

  send(message: Message): void {
    this.#receives.set(message, 0)
  }

  /** The messages of a batch, chosen from those given. */
  choose(
    { from, take, isBackward }: Pick<Batch, 'from' | 'take' | 'isBackward'>,
    available: readonly Message[],
  ): Message[] {
    const start = available.length === 0 ? 0 : from % available.length
    const chosen = [...available.slice(start), ...available.slice(0, start)].slice(0, take)
    return isBackward ? chosen.toReversed() : chosen
  }

  /**
   * Counts one receive of each message, however many functions get it at this moment: the count is approximate, since the
   * servers of a queue do not tell each other in time.
   */
  receive(messages: Iterable<Message>): void {
    for (const message of messages) this.#receives.set(message, this.receivesOf(message) + 1)
  }

  /** Those that nobody has received who may still delete them. */
  get visible(): Message[] {
    return this.messages.filter((message) => !this.#hidden.has(message))
  }

  hide(messages: readonly Message[]): void {
    for (const message of messages) this.#hidden.add(message)
  }

  /** The visibility timeout is over. */
  showAll(): void {
    this.#hidden.clear()
  }

  /** A message as a function sees it. */
  recordOf(message: Message): SQSRecord {
    const record = { ...sqsRecord(message.body), messageId: message.messageId }
    record.attributes.ApproximateReceiveCount = String(this.receivesOf(message))
    return record
  }

  delete(messages: readonly Message[]): void {
    for (const message of messages) this.#receives.delete(message)
  }

  receivesOf(message: Message): number {
    return this.#receives.get(message) ?? 0
  }
}
