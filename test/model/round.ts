/** One round: functions ingest, versions are deleted and executions quarantine, all at the same time. */
import { batchInput } from '../../handlers/contract.ts'
import { ingestBatch } from '../../handlers/ingest/ingest-batch.ts'
import type { IngestDependencies } from '../../handlers/ingest/ingest-slice.ts'
import { quarantineFiles } from '../../handlers/quarantine-files/quarantine-files.ts'
import { assertAcknowledged } from './assertions.ts'
import type { Execution } from './cloud.ts'
import { Meeting, prepareInvocation } from './invocation.ts'
import type { Laboratory } from './laboratory.ts'
import type { Batch, Round } from './program.ts'
import type { Message } from './queue.ts'
import type { World } from './world.ts'

interface Delivery {
  readonly batch: Batch
  readonly messages: readonly Message[]
  readonly dependencies: IngestDependencies
}

/**
 * Runs a round and tells the model what happened.
 *
 * @param executions those that quarantine meanwhile
 */
export async function runRound(
  laboratory: Laboratory,
  functions: readonly IngestDependencies[],
  world: World,
  round: Round,
  executions: readonly Execution[],
): Promise<void> {
  const deliveries = takeBatches(functions, world, round)
  const meeting = new Meeting(deliveries.filter(({ batch }) => batch.fate !== 'never run').length)
  const deleteTheRest = scheduleDeletions(world, round)
  const ends = await Promise.allSettled([
    quarantine(laboratory, world, executions),
    ...deliveries.map((delivery) => deliver(laboratory, world, delivery, meeting)),
  ])
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  deleteTheRest()
  world.model.endDeletes()
}

/** Chooses the messages of each batch; in an overlapping round, several functions get the same. */
function takeBatches(functions: readonly IngestDependencies[], { queue }: World, round: Round): Delivery[] {
  const taken = new Set<Message>()
  const deliveries = round.batches.flatMap((batch, number): Delivery[] => {
    const available = queue.messages.filter((message) => round.isOverlapping || !taken.has(message))
    const messages = queue.choose(batch, available)
    for (const message of messages) taken.add(message)
    const dependencies = functions[number % functions.length]
    return messages.length === 0 || dependencies === undefined ? [] : [{ batch, messages, dependencies }]
  })
  queue.receive(taken)
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

/** Runs the ingest function on a batch; what it acknowledges must be committed at that moment. */
async function deliver(
  laboratory: Laboratory,
  world: World,
  { batch, messages, dependencies }: Delivery,
  meeting: Meeting,
): Promise<void> {
  const { bucket, model, queue, trace } = world
  const requestId = world.openRequest(messages)
  const records = messages.map((message) => queue.recordOf(message))
  const received = records.map(({ messageId, attributes }) => `${messageId} (${attributes.ApproximateReceiveCount}.)`)
  trace.push(`${requestId} gets ${received.join(', ')}: ${batch.fate}, time for ${batch.time ?? 'all'}`)
  if (batch.fate === 'never run') return

  const invocation = prepareInvocation(dependencies, requestId, batch.time, meeting)
  const { batchItemFailures } = await ingestBatch(invocation.dependencies, { Records: records }, invocation.context)
  const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier))
  const acknowledged = messages.filter(({ messageId }) => !failed.has(messageId))
  await assertAcknowledged(laboratory.observer, bucket.name, acknowledged)
  trace.push(
    `${requestId} is answered: ${failed.size === 0 ? 'all acknowledged' : `without ${[...failed].join(', ')}`}`,
  )
  if (batch.time === null && failed.size > 0) throw new Error(`${requestId} had time, and did not acknowledge all`)

  for (const message of messages) {
    for (const version of message.versions) model.deliver(version, !failed.has(message.messageId))
  }
  if (batch.fate === 'answered') queue.delete(acknowledged)
}

/** What the pipeline does with the poison of its executions. */
async function quarantine(laboratory: Laboratory, { model, trace }: World, executions: readonly Execution[]) {
  const fileIds = executions.flatMap(({ input }) => batchInput.parse(JSON.parse(input)).poisonFileIds)
  if (fileIds.length === 0) return
  trace.push(`quarantine the files ${fileIds.join(', ')}`)
  const outcome = await quarantineFiles(laboratory.quarantine, fileIds)
  model.quarantine(fileIds)
  trace.push(`quarantined: ${JSON.stringify(outcome)}`)
}
