/** Notes attempts of files alone, and remembers the ends that the database was too ill to note. */
import { type Attempt, beginAttempt, endAttempt } from '../../db/attempts.ts'
import type { WithDatabase } from '../database.ts'
import { errorFacts } from '../errors.ts'
import { logger } from '../logger.ts'
import type { CreatedObject } from '../s3-event.ts'
import { findSource } from '../sources/registry.ts'

export class Attempts {
  readonly #withDatabase: WithDatabase
  /** Ended in this process, and not yet in the ledger: without it, a flapping database would look like a crash. */
  readonly #unnoted: { readonly object: CreatedObject; readonly attempt?: Attempt }[] = []

  constructor(withDatabase: WithDatabase) {
    this.#withDatabase = withDatabase
  }

  /** Notes ends that could not be noted before. */
  async catchUp(end: AbortSignal): Promise<void> {
    for (let ended = this.#unnoted.at(-1); ended !== undefined; ended = this.#unnoted.at(-1)) {
      const { object, attempt } = ended
      await this.#withDatabase((database) => endAttempt(database, object, attempt), end)
      this.#unnoted.pop()
    }
  }

  async begin(object: CreatedObject, end: AbortSignal): Promise<void> {
    const source = findSource(object.key)?.name ?? null
    const attempt: Attempt = {}
    try {
      await this.#withDatabase((database) => beginAttempt(database, { ...object, source }, attempt), end)
    } catch (error) {
      // It may be noted though nobody heard of it, and nothing else would end it.
      if (attempt.transactionId !== undefined) this.#unnoted.push({ object, attempt })
      throw error
    }
  }

  /** Notes that an attempt ended without an outcome. Never throws. */
  async end(object: CreatedObject, end: AbortSignal): Promise<void> {
    try {
      await this.#withDatabase((database) => endAttempt(database, object), end)
    } catch (error) {
      this.#unnoted.push({ object })
      logger.warn('end of an attempt not noted; it will be', { ...errorFacts(error) })
    }
  }
}
