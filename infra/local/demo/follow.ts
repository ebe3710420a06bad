/** Follows the pipeline until it has dealt with everything that was put. */
import { setTimeout as sleep } from 'node:timers/promises'
import { paginateListExecutions } from '@aws-sdk/client-sfn'
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs'
import { countFilesByState, listVersions, summarizeBatches } from '../../../db/accounting.ts'
import type { Deployment } from './deployment.ts'
import { isInput } from './noise.ts'
import { formatKeys } from './progress.ts'
import type { NewObject } from './put-objects.ts'

const POLL_INTERVAL_MS = 250

/**
 * Milliseconds without any change before giving up. Fewer give up on a busy laptop, where the first batch's execution waits
 * for dbt, whose packages are being installed; more only delay the message.
 */
const STANDSTILL_LIMIT_MS = 180_000

/** States in which a file stays. `poison` is not one: its copy is still to be made. */
const FINAL_STATES: readonly string[] = ['loaded', 'superseded', 'quarantined', 'vanished']

/** What is to be seen from outside, at one moment. */
interface Sight {
  /** Files in a final state. */
  readonly settled: number
  /** Messages waiting or in flight, and those given up. */
  readonly queued: number
  readonly deadLetters: number
  readonly executionsWanted: number
  readonly executionsByStatus: ReadonlyMap<string, number>
}

/**
 * Waits until every input is in a final state, the queue is empty and all executions have ended.
 *
 * @param isPutDone whether all objects are put; nothing is settled, and nothing stands still, before
 * @throws an error that says what is missing when nothing has changed for three minutes
 */
export async function untilSettled(
  deployment: Deployment,
  objects: readonly NewObject[],
  isPutDone: () => boolean,
  onProgress: (settled: number) => void,
): Promise<void> {
  const inputs = objects.filter(({ key }) => isInput(key)).length
  let last = ''
  let changedAt = performance.now()
  while (true) {
    const sight = await look(deployment)
    onProgress(sight.settled)
    if (isPutDone() && isSettled(sight, inputs)) return

    const now = JSON.stringify({ ...sight, executionsByStatus: [...sight.executionsByStatus] })
    if (now !== last || !isPutDone()) changedAt = performance.now()
    last = now
    if (performance.now() - changedAt > STANDSTILL_LIMIT_MS) throw await standstill(deployment, objects, sight, inputs)
    await sleep(POLL_INTERVAL_MS)
  }
}

function isSettled({ settled, queued, executionsWanted, executionsByStatus }: Sight, inputs: number): boolean {
  const listed = [...executionsByStatus.values()].reduce((sum, count) => sum + count, 0)
  const hasEnded = !executionsByStatus.has('RUNNING') && listed >= executionsWanted
  return settled >= inputs && queued === 0 && hasEnded
}

async function look(deployment: Deployment): Promise<Sight> {
  const [states, queued, deadLetters, executionsByStatus] = await Promise.all([
    countFilesByState(deployment.database, deployment.bucket),
    countMessages(deployment, deployment.queueUrl),
    countMessages(deployment, deployment.deadLetterQueueUrl),
    countExecutions(deployment),
  ])
  const { executions } = await summarizeBatches(deployment.database)
  const settled = FINAL_STATES.reduce((sum, state) => sum + (states.get(state) ?? 0), 0)
  return { settled, queued, deadLetters, executionsWanted: executions, executionsByStatus }
}

/** Messages of a queue, those in flight too. */
export async function countMessages({ sqs }: Deployment, queueUrl: string): Promise<number> {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl: queueUrl,
      AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
    }),
  )
  return Object.values(Attributes).reduce((sum, count) => sum + Number(count), 0)
}

/** The executions of batches by their status. */
export async function countExecutions({ sfn, stateMachineArn }: Deployment): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for await (const { executions = [] } of paginateListExecutions({ client: sfn }, { stateMachineArn })) {
    for (const { name = '', status = 'unknown' } of executions) {
      if (name.startsWith('batch-')) counts.set(status, (counts.get(status) ?? 0) + 1)
    }
  }
  return counts
}

async function standstill(
  { database, bucket }: Deployment,
  objects: readonly NewObject[],
  sight: Sight,
  inputs: number,
): Promise<Error> {
  const known = await listVersions(database, bucket)
  const settled = Map.groupBy(
    known.filter(({ state }) => FINAL_STATES.includes(state)),
    ({ key }) => key,
  )
  // A key may have been put more than once; each version takes one away.
  const missing = objects.map(({ key }) => key).filter((key) => isInput(key) && settled.get(key)?.pop() === undefined)
  const executions = [...sight.executionsByStatus].map(([status, count]) => `${count} ${status}`).join(', ')
  return new Error(
    `Nothing has changed for ${STANDSTILL_LIMIT_MS / 1_000} s, and ${missing.length} of ${inputs} files are neither loaded nor quarantined.\n` +
      `Queue: ${sight.queued} messages; dead letters: ${sight.deadLetters}; ` +
      `executions: ${executions || 'none'} (${sight.executionsWanted} wanted).\n${formatKeys(missing)}`,
  )
}
