/** One invocation as the world sees it: what it meets, how its time passes, how it ends. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { ANSWER_TIME_MS } from '../../handlers/limits.ts'
import type { Boundary, Fault, FaultKind } from './faults.ts'

/** Milliseconds that Lambda gives an invocation. */
const TIMEOUT_MS = 60_000

/** Real milliseconds in which an invocation whose time is over must answer: it waits for nothing more. */
const ANSWER_LIMIT_MS = 5_000

/** The invocation that the running code belongs to. */
export const lives = new AsyncLocalStorage<Life>()

/** What is waited for in vain. */
export const never = (): Promise<never> => new Promise(() => {})

export class Life {
  /** The faults that it did meet. */
  readonly met: Fault[] = []
  /** Versions whose read went wrong. */
  readonly struck = new Set<string>()
  /** The version that was being read when the process died. */
  diedReading: string | undefined
  /** Settles as soon as the process is dead. */
  readonly death = Promise.withResolvers<'died'>()
  /** Rejects when something is waited for that has no end. */
  readonly stuck = Promise.withResolvers<never>()
  isDead = false
  /** Something was waited for that has no end. */
  isStuck = false
  readonly #faults: readonly Fault[]
  readonly #tell: (fault: Fault) => void
  readonly #uses = new Map<Boundary, number>()
  readonly #timers = new Set<{ readonly atMs: number; readonly controller: AbortController }>()
  #nowMs = 0

  constructor(faults: readonly Fault[], tell: (fault: Fault) => void) {
    this.#faults = faults
    this.#tell = tell
    this.stuck.promise.catch(() => {})
  }

  /** Only a process that just started connects and reads the secret. */
  get isColdStart(): boolean {
    return this.#faults.some(({ on }) => on === 'connect' || on === 'secret')
  }

  /** A boundary is used. Returns what goes wrong. */
  meet(on: Boundary): FaultKind | undefined {
    const use = (this.#uses.get(on) ?? 0) + 1
    this.#uses.set(on, use)
    return this.#strike(this.#faults.find((fault) => fault.on === on && fault.nth === use))
  }

  /** A rotation of the password is under way when it begins. Returns for how many reads the secret is behind. */
  meetRotation(): number | undefined {
    const rotation = this.#faults.find(({ on }) => on === 'password')
    this.#strike(rotation)
    return rotation?.nth
  }

  #strike(fault: Fault | undefined): FaultKind | undefined {
    if (fault === undefined) return undefined
    this.met.push(fault)
    this.#tell(fault)
    return fault.kind
  }

  /** The process ends here. */
  die(): Promise<never> {
    this.isDead = true
    this.death.resolve('died')
    return never()
  }

  get remainingMs(): number {
    return Math.max(0, TIMEOUT_MS - this.#nowMs)
  }

  /** In place of `AbortSignal.timeout`. */
  timeout(milliseconds: number): AbortSignal {
    const controller = new AbortController()
    this.#timers.add({ atMs: this.#nowMs + milliseconds, controller })
    return controller.signal
  }

  pass(milliseconds: number): void {
    this.#passUntil(this.#nowMs + milliseconds)
  }

  /** Nothing answers any more until the function's own end. */
  expire(): void {
    this.#passUntil(Math.max(this.#nowMs, TIMEOUT_MS - ANSWER_TIME_MS))
    setTimeout(() => this.#fail('an invocation whose time was over waited on'), ANSWER_LIMIT_MS).unref()
  }

  /** Does not answer: time passes until whoever waits has enough. */
  async hang(signal: AbortSignal | undefined): Promise<never> {
    if (signal === undefined) this.#fail('a call was made that nothing would ever end')
    // Those that wait beside it are answered first.
    await new Promise((resolve) => setImmediate(resolve))
    for (const { atMs } of [...this.#timers].toSorted((a, b) => a.atMs - b.atMs)) {
      if (signal?.aborted) throw Object.assign(new Error('Request aborted'), { name: 'AbortError' })
      this.#passUntil(atMs)
    }
    if (signal?.aborted) throw Object.assign(new Error('Request aborted'), { name: 'AbortError' })
    return await never()
  }

  #passUntil(atMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, atMs)
    for (const timer of this.#timers) {
      if (timer.atMs > this.#nowMs) continue
      this.#timers.delete(timer)
      timer.controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'))
    }
  }

  #fail(message: string): void {
    this.isStuck = true
    this.stuck.reject(new Error(message))
  }
}
