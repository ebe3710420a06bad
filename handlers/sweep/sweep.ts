/** Finds what was forgotten and sets it going again: the backstop of everything that is started by an event. Drops what is old. */
import type { SFNClient } from '@aws-sdk/client-sfn'
import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { sql } from 'drizzle-orm'
import { findUnstartedBatches, markExecutionStarted } from '../../db/batches.ts'
import { countDeadLetters } from '../../db/dead-letters.ts'
import { findForgottenPoison } from '../../db/files.ts'
import { countPartitionDaysAhead, createPartitionsAhead } from '../../db/partitions.ts'
import type { SweepOutcome } from '../contract.ts'
import type { WithDatabase } from '../database.ts'
import { errorFacts } from '../errors.ts'
import { startExecution } from '../ingest/start-execution.ts'
import { SWEEP_AFTER_MINUTES, SWEEP_PAGE, SWEEP_UNTIL_DAYS } from '../limits.ts'
import { logger } from '../logger.ts'
import { countOf, emitMetrics } from '../metrics.ts'
import { dropOldPartitions } from './drop-partitions.ts'

export interface SweepDependencies {
  readonly withDatabase: WithDatabase
  readonly sfn: SFNClient
  readonly stateMachineArn: string
  readonly sqs: SQSClient
  readonly deadLetterQueueUrl: string
  /** Days for which documents are kept after their load day. */
  readonly retentionDays: number
}

const NOTHING: SweepOutcome = {
  isDatabaseUp: false,
  batchesStarted: 0,
  drainStarted: null,
  partitionsCreated: 0,
  partitionsDropped: 0,
  partitionsOverdue: 0,
  poisonFileIds: [],
}

/**
 * Sweeps once. Asks first whether the database answers, and ends quietly when it does not: an outage is told once, by its
 * own alarm, and not every 15 minutes by this.
 *
 * @param now names the drain that is started: two sweeps within a second start the same one
 * @param end aborted shortly before the function's timeout: a database that hangs until then counts as down
 */
export async function sweep(given: SweepDependencies, now: Date, end: AbortSignal): Promise<SweepOutcome> {
  const withDatabase: WithDatabase = (work) => given.withDatabase(work, end)
  const dependencies = { ...given, withDatabase }
  try {
    await withDatabase((database) => database.execute(sql`select 1`))
  } catch (error) {
    logger.warn('the database does not answer; nothing was swept', errorFacts(error))
    return NOTHING
  }
  const partitions = await withDatabase((database) => createPartitionsAhead(database))
  await measurePartitions(withDatabase)
  const setGoing = {
    batchesStarted: await startForgottenBatches(dependencies),
    drainStarted: await startDrain(dependencies, now),
    poisonFileIds: await withDatabase((database) => findForgottenPoison(database, SWEEP_AFTER_MINUTES, SWEEP_PAGE)),
  }
  // Last: it may wait for somebody, and nobody waits for it.
  const old = await dropOldPartitions(withDatabase, given.retentionDays)
  emitMetrics([countOf('PartitionsOverdue', old.partitionsOverdue)])
  return { isDatabaseUp: true, partitionsCreated: partitions.length, ...setGoing, ...old }
}

/** Never fails the sweep: an alarm tells when no number comes. */
async function measurePartitions(withDatabase: WithDatabase): Promise<void> {
  try {
    emitMetrics([countOf('PartitionDaysAhead', await withDatabase(countPartitionDaysAhead))])
  } catch (error) {
    logger.warn('partitions not counted', errorFacts(error))
  }
}

/** Sends again what the batch rows say, name and input unchanged: what was started after all is not started twice. */
async function startForgottenBatches({ withDatabase, sfn, stateMachineArn }: SweepDependencies): Promise<number> {
  const range = { afterMinutes: SWEEP_AFTER_MINUTES, untilDays: SWEEP_UNTIL_DAYS, limit: SWEEP_PAGE }
  const forgotten = await withDatabase((database) => findUnstartedBatches(database, range))
  let started = 0
  for (const batch of forgotten) {
    if (!(await startExecution(sfn, stateMachineArn, batch))) break
    await withDatabase((database) => markExecutionStarted(database, batch.id))
    started++
  }
  return started
}

/** Starts a drain when dead letters wait in the queue, or in the ledger with no drain that takes care of them. */
async function startDrain(dependencies: SweepDependencies, now: Date): Promise<string | null> {
  const { withDatabase, sfn, stateMachineArn } = dependencies
  const { unclaimed } = await withDatabase(countDeadLetters)
  if (unclaimed === 0 && (await countVisible(dependencies)) === 0) return null
  const name = `dead-letters-${now.toISOString().replaceAll(/[-:]|\.\d+/g, '')}`
  const isStarted = await startExecution(sfn, stateMachineArn, { name, input: '{"trigger":"dead-letters"}' })
  return isStarted ? name : null
}

async function countVisible({ sqs, deadLetterQueueUrl }: SweepDependencies): Promise<number> {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: deadLetterQueueUrl, AttributeNames: ['ApproximateNumberOfMessages'] }),
  )
  return Number(Attributes?.ApproximateNumberOfMessages ?? 0)
}
