/** How one invocation meets the world: when its time is up, and whom it runs beside. */
import type { Context } from 'aws-lambda'
import type { WithDatabase } from '../../handlers/database.ts'
import type { IngestDependencies } from '../../handlers/ingest/ingest-slice.ts'
import { lambdaContext } from '../support/s3-events.ts'
import type { Life } from './life.ts'

/** Lets everybody wait for everybody, once: only transactions that begin together get in each other's way. */
export class Meeting {
  readonly #complete = Promise.withResolvers<void>()
  #missing: number

  constructor(size: number) {
    this.#missing = size
  }

  /** What one of them calls when it is there, or knows that it will not come. */
  admit(): () => Promise<void> {
    let isHere = false
    return () => {
      if (!isHere && --this.#missing === 0) this.#complete.resolve()
      isHere = true
      return this.#complete.promise
    }
  }
}

/**
 * Dependencies and context of an invocation. Before its first use of the database it waits for the others of its round.
 *
 * @param time uses of the database until its time is up; null for time enough
 */
export function prepareInvocation(
  dependencies: IngestDependencies,
  {
    awsRequestId,
    time,
    life,
    meet,
  }: { awsRequestId: string; time: number | null; life: Life; meet: () => Promise<void> },
): { readonly dependencies: IngestDependencies; readonly context: Context } {
  let uses = 0
  const withDatabase: WithDatabase = async (work, end) => {
    if (uses++ === 0) await meet()
    return await dependencies.withDatabase(work, end)
  }
  const isOver = () => time !== null && uses >= time
  return {
    dependencies: { ...dependencies, withDatabase },
    context: contextOf(life, awsRequestId, () => (isOver() ? 0 : life.remainingMs)),
  }
}

export const contextOf = (
  life: Life,
  awsRequestId: string,
  getRemainingTimeInMillis = () => life.remainingMs,
): Context => ({ ...lambdaContext(), awsRequestId, getRemainingTimeInMillis })
