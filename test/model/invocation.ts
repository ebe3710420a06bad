/** How one invocation of the ingest function meets the world: when its time is up, and whom it runs beside. */
import type { Context } from 'aws-lambda'
import type { WithDatabase } from '../../handlers/database.ts'
import type { IngestDependencies } from '../../handlers/ingest/ingest-slice.ts'
import { lambdaContext } from '../support/s3-events.ts'

/** Lets everybody wait for everybody, once: only transactions that begin together get in each other's way. */
export class Meeting {
  readonly #complete = Promise.withResolvers<void>()
  #missing: number

  constructor(size: number) {
    this.#missing = size
  }

  arrive(): Promise<void> {
    if (--this.#missing === 0) this.#complete.resolve()
    return this.#complete.promise
  }
}

export interface Invocation {
  readonly dependencies: IngestDependencies
  readonly context: Context
}

/**
 * Dependencies and context of an invocation. Before its first use of the database it waits for the others of its round.
 *
 * @param time uses of the database until its time is up; null for time enough
 */
export function prepareInvocation(
  dependencies: IngestDependencies,
  awsRequestId: string,
  time: number | null,
  meeting: Meeting,
): Invocation {
  let uses = 0
  const withDatabase: WithDatabase = async (work, end) => {
    if (uses++ === 0) await meeting.arrive()
    return await dependencies.withDatabase(work, end)
  }
  const getRemainingTimeInMillis = () => (time === null || uses < time ? 60_000 : 0)
  return {
    dependencies: { ...dependencies, withDatabase },
    context: { ...lambdaContext(), awsRequestId, getRemainingTimeInMillis },
  }
}
