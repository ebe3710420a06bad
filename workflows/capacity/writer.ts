/** The writer database's CPU, which all inserts share. */
import type { EventQueue } from './event-queue.ts'

interface Insert {
  /** The virtual time at which it is done. */
  readonly until: number
  readonly done: () => void
}

/**
 * Processor sharing: an insert runs on one core at most, and when there are more of them than cores, all are slower alike.
 * Virtual time passes as fast as one insert is worked on, so each is done a fixed virtual time after it came, whatever
 * comes after it.
 */
export class Writer {
  readonly #events: EventQueue
  readonly #cores: number
  readonly #inserts = new Set<Insert>()
  #virtualNow = 0
  #since = 0
  #wake = 0
  /** Seconds of one core that were worked. */
  busySeconds = 0

  constructor(events: EventQueue, cores: number) {
    this.#events = events
    this.#cores = cores
  }

  /** Calls back when these seconds of one core are worked. */
  insert(coreSeconds: number, done: () => void): void {
    this.#catchUp()
    this.#inserts.add({ until: this.#virtualNow + coreSeconds, done })
    this.#scheduleNext()
  }

  /** Of one insert: 1 while there are cores for all. */
  get #speed(): number {
    return Math.min(1, this.#cores / this.#inserts.size)
  }

  #catchUp(): void {
    const passed = this.#events.now - this.#since
    this.#since = this.#events.now
    if (this.#inserts.size === 0) return
    this.#virtualNow += passed * this.#speed
    this.busySeconds += passed * Math.min(this.#cores, this.#inserts.size)
  }

  /** Plans the next end. A plan that was made before is void, since who comes or goes changes the speed of all. */
  #scheduleNext(): void {
    const wake = ++this.#wake
    let next: Insert | undefined
    for (const insert of this.#inserts) if (next === undefined || insert.until < next.until) next = insert
    if (next === undefined) return
    const { until, done } = next
    const seconds = Math.max(0, until - this.#virtualNow) / this.#speed
    this.#events.schedule(this.#events.now + seconds, () => {
      if (wake !== this.#wake) return
      this.#catchUp()
      // Adding up in pieces may miss it by the last digit.
      this.#virtualNow = Math.max(this.#virtualNow, until)
      this.#inserts.delete(next)
      this.#scheduleNext()
      done()
    })
  }
}
