/** An event source mapping of SQS: pollers that gather batches, and as many invocations at once as it may have. */
import type { EventQueue } from './event-queue.ts'
import { MessageQueue } from './message-queue.ts'
import type { Random } from './random.ts'

/** What one receive brings at most. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html */
const RECEIVE_LIMIT = 10
/** Of an invocation. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html */
const PAYLOAD_LIMIT_BYTES = 6 * 1024 * 1024
/** 300 more a minute while messages wait. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html */
const GROWTH_SECONDS = 60 / 300

export interface MappingSettings {
  readonly batchSize: number
  /** From the first message of a batch until it is handed over, if it is not full before. */
  readonly windowSeconds: number
  readonly maximumConcurrency: number
  /** Bytes of a message with its identifiers, as they count for the 6 MB of an invocation. */
  readonly messageBytes: number
  /** Pollers from the beginning. AWS: five, which it does not reduce where a maximum concurrency is set. */
  readonly pollers: number
  /** Of a receive, until which the poller asks for nothing more. */
  readonly receiveSeconds: number
  /** Which of the pollers that wait gets the next message. AWS promises nothing; the laptop cloud has them take turns. */
  readonly choice: 'random' | 'in turn'
}

interface Poller {
  files: number[]
  /** Counts its batches, so that the window of one that has left ends nothing. */
  batch: number
  isReceiving: boolean
  /** Full, or its window is over: it waits for an invocation and gathers nothing. */
  isDue: boolean
}

const newPoller = (): Poller => ({ files: [], batch: 0, isReceiving: false, isDue: false })

/** Starts an invocation, and calls `done` when the function has answered. */
type Invoke = (files: readonly number[], done: () => void) => void

export class Mapping {
  readonly #events: EventQueue
  readonly #settings: MappingSettings
  readonly #random: Random
  readonly #invoke: Invoke
  readonly #capacity: number
  readonly #pollers: Poller[]
  readonly #due: Poller[] = []
  readonly #queue = new MessageQueue()
  #turn = 0
  #isGrowing = false
  #running = 0
  /** The most invocations that ran at once: each has a connection to the database. */
  runningMax = 0

  constructor(events: EventQueue, settings: MappingSettings, random: Random, invoke: Invoke) {
    this.#events = events
    this.#settings = settings
    this.#random = random
    this.#invoke = invoke
    this.#capacity = Math.max(1, Math.min(settings.batchSize, Math.floor(PAYLOAD_LIMIT_BYTES / settings.messageBytes)))
    this.#pollers = Array.from({ length: settings.pollers }, newPoller)
  }

  get waiting(): number {
    return this.#queue.length
  }

  deliver(file: number): void {
    this.#queue.add(file)
    this.#serve()
  }

  #serve(): void {
    while (this.waiting > 0) {
      const poller = this.#nextFree()
      if (poller === undefined) break
      this.#receive(poller)
    }
    this.#growUnderBacklog()
  }

  #nextFree(): Poller | undefined {
    const count = this.#pollers.length
    // From a random place on: among five that is even enough.
    if (this.#settings.choice === 'random') this.#turn = Math.floor(this.#random() * count)
    for (let tried = 0; tried < count; tried++) {
      const poller = this.#pollers[this.#turn % count] as Poller
      this.#turn = (this.#turn + 1) % count
      if (!poller.isReceiving && !poller.isDue) return poller
    }
    return undefined
  }

  #receive(poller: Poller): void {
    const { windowSeconds, receiveSeconds } = this.#settings
    if (poller.files.length === 0) {
      const batch = ++poller.batch
      this.#events.schedule(this.#events.now + windowSeconds, () => {
        if (poller.batch === batch && !poller.isDue) this.#becomeDue(poller)
      })
    }
    poller.files.push(...this.#queue.take(Math.min(RECEIVE_LIMIT, this.#capacity - poller.files.length)))
    if (receiveSeconds > 0) {
      poller.isReceiving = true
      this.#events.schedule(this.#events.now + receiveSeconds, () => {
        poller.isReceiving = false
        this.#serve()
      })
    }
    if (poller.files.length >= this.#capacity) this.#becomeDue(poller)
  }

  #becomeDue(poller: Poller): void {
    poller.isDue = true
    this.#due.push(poller)
    this.#handOver()
  }

  #handOver(): void {
    const allowed = Math.min(this.#settings.maximumConcurrency, this.#pollers.length)
    while (this.#running < allowed) {
      const poller = this.#due.shift()
      if (poller === undefined) return
      const { files } = poller
      Object.assign(poller, { files: [], batch: poller.batch + 1, isDue: false })
      this.#running++
      this.runningMax = Math.max(this.runningMax, this.#running)
      this.#invoke(files, () => {
        this.#running--
        this.#handOver()
      })
      this.#serve()
    }
  }

  /** AWS looks whether messages are still there; what one receive of each poller would take is none. */
  #growUnderBacklog(): void {
    const hasBacklog = () => this.waiting > RECEIVE_LIMIT * this.#pollers.length
    if (this.#isGrowing || this.#pollers.length >= this.#settings.maximumConcurrency || !hasBacklog()) return
    this.#isGrowing = true
    this.#events.schedule(this.#events.now + GROWTH_SECONDS, () => {
      this.#isGrowing = false
      if (!hasBacklog()) return
      this.#pollers.push(newPoller())
      this.#handOver()
      this.#serve()
    })
  }
}
