/** What Step Functions does with a Task's error: tries again, catches it, or lets it fail the execution. */
import type { State } from './definition.ts'

/** What is still to be tried with one entry of a state, as Step Functions counts: each retrier for itself. */
export class Attempts {
  readonly #state: State
  readonly #retries = new Map<object, number>()

  constructor(state: State) {
    this.#state = state
  }

  /** Whether the Task is tried again after this error. */
  mayRetry(error: string): boolean {
    const retrier = this.#state.Retry?.find(({ ErrorEquals }) => names(ErrorEquals, error))
    if (retrier === undefined) return false
    const count = this.#retries.get(retrier) ?? 0
    this.#retries.set(retrier, count + 1)
    return count < (retrier.MaxAttempts ?? 3)
  }

  catcherOf(error: string) {
    return this.#state.Catch?.find(({ ErrorEquals }) => names(ErrorEquals, error))
  }
}

const names = (errors: readonly string[], error: string): boolean =>
  errors.includes(error) ||
  errors.includes('States.ALL') ||
  (errors.includes('States.TaskFailed') && error !== 'States.Timeout')
