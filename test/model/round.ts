/** One round: functions ingest, versions are deleted, executions quarantine, drain, sweep and replay, all at the same time. */
import { batchInput } from '../../handlers/contract.ts'
import type { Execution } from './cloud.ts'
import { type Delivery, deliver } from './deliver.ts'
import { Meeting } from './invocation.ts'
import type { Laboratory } from './laboratory.ts'
import type { Round } from './program.ts'
import type { Message } from './queue.ts'
import { quarantine, runUpkeep } from './upkeep.ts'
import type { World } from './world.ts'

/**
 * Runs a round and tells the model what happened.
 *
 * @param executions those that quarantine meanwhile
 */
export async function runRound(
  laboratory: Laboratory,
  world: World,
  round: Round,
  executions: readonly Execution[],
): Promise<void> {
  const deliveries = takeBatches(laboratory, world, round)
  const meeting = new Meeting(deliveries.filter(({ batch }) => batch.fate !== 'never run').length)
  const deleteTheRest = scheduleDeletions(world, round)
  const ends = await Promise.allSettled([
    quarantineExecutions(laboratory, world, executions),
    ...round.upkeep.map((upkeep, number) => runUpkeep(laboratory, world, upkeep, number)),
    ...deliveries.map((delivery) => deliver(laboratory, world, delivery, meeting)),
  ])
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  for (const violation of world.violations) throw violation
  world.deadLetters.showAll()
  deleteTheRest()
  world.model.endDeletes()
}

/** Chooses the messages of each batch; in an overlapping round, several functions get the same. */
function takeBatches({ functions, tally }: Laboratory, { queue }: World, round: Round): Delivery[] {
  const taken = new Set<Message>()
  const deliveries = round.batches.flatMap((batch, number): Delivery[] => {
    const available = queue.messages.filter((message) => round.isOverlapping || !taken.has(message))
    const messages = queue.choose(batch, available)
    for (const message of messages) taken.add(message)
    const { [number % functions.ingest.length]: ingest } = functions.ingest
    return messages.length === 0 || ingest === undefined ? [] : [{ batch, messages, ingest }]
  })
  queue.receive(taken)
  const delivered = deliveries.reduce((sum, { messages }) => sum + messages.length, 0)
  tally.add('message: delivered to several at once', delivered - taken.size)
  tally.add('message: delivered again', [...taken].filter((message) => queue.receivesOf(message) > 1).length)
  return deliveries
}

/** Deletes versions between the reads of the round; what is returned deletes those whose turn did not come. */
function scheduleDeletions(world: World, { deletions }: Round): () => void {
  const due = deletions.toSorted((a, b) => a.afterReads - b.afterReads)
  let reads = 0
  const deleteUntil = (limit: number): void => {
    for (let next = due[0]; next !== undefined && next.afterReads <= limit; next = due[0]) {
      due.shift()
      world.beginDelete(next.version)
    }
  }
  world.bucket.beforeRead = () => deleteUntil(reads++)
  return () => {
    world.bucket.beforeRead = () => {}
    deleteUntil(Number.POSITIVE_INFINITY)
  }
}

/** What the pipeline does with the poison of its executions, which end with it. */
async function quarantineExecutions(laboratory: Laboratory, world: World, executions: readonly Execution[]) {
  const fileIds = executions.flatMap((execution) => poisonOf(execution))
  await quarantine(laboratory, world, fileIds)
  for (const execution of executions) laboratory.cloud.endExecution(execution)
}

function poisonOf({ input }: Execution): readonly number[] {
  const parsed = batchInput.safeParse(JSON.parse(input))
  return parsed.success ? parsed.data.poisonFileIds : []
}
