/** A batch in the ingest function: what it acknowledges must be committed at that moment, and what it had to do must be done. */
import { ingestBatch } from '../../handlers/ingest/ingest-batch.ts'
import { SLICE_TIME_MIN_MS } from '../../handlers/limits.ts'
import { assertAcknowledged, assertAttemptNoted } from './assertions.ts'
import { areRiddenOut, isOfOneRead } from './faults.ts'
import type { LambdaFunction } from './function.ts'
import { type Meeting, prepareInvocation } from './invocation.ts'
import type { Laboratory } from './laboratory.ts'
import { Life } from './life.ts'
import type { Batch } from './program.ts'
import type { Message } from './queue.ts'
import type { World } from './world.ts'

export interface Delivery {
  readonly batch: Batch
  readonly messages: readonly Message[]
  readonly ingest: LambdaFunction
}

/** Runs the ingest function on a batch and tells the model. */
export async function deliver(
  { observer, tally }: Laboratory,
  world: World,
  { batch, messages, ingest }: Delivery,
  meeting: Meeting,
): Promise<void> {
  const { bucket, model, queue, trace } = world
  const requestId = world.openRequest(messages)
  const records = messages.map((message) => queue.recordOf(message))
  const received = records.map(({ messageId, attributes }) => `${messageId} (${attributes.ApproximateReceiveCount}.)`)
  trace.push(`${requestId} gets ${received.join(', ')}: ${batch.fate}, time for ${batch.time ?? 'all'}`)
  if (batch.fate === 'never run') return tally.add('invocation: never run')

  const life = new Life(batch.faults, tally.meet)
  const meet = meeting.admit()
  const outcome = await ingest
    .invoke(life, async (dependencies) => {
      const prepared = prepareInvocation(dependencies, { awsRequestId: requestId, time: batch.time, life, meet })
      return await ingestBatch(prepared.dependencies, { Records: records }, prepared.context)
    })
    .finally(() => void meet())
  if (life.met.length > 0) {
    world.faulty.add(requestId)
    trace.push(`${requestId} met ${JSON.stringify(life.met)}`)
  }

  const redelivered = new Set(
    messages.filter((message) => queue.receivesOf(message) > 1).flatMap(({ versions }) => versions),
  )
  if ('died' in outcome) {
    trace.push(`${requestId} died`)
    for (const version of messages.flatMap(({ versions }) => versions)) model.deliver(version, false)
    for (const { versionId } of redelivered) model.loseAttempt(versionId)
    for (const versionId of outcome.died) model.loseAttempt(versionId)
    const alone = [...redelivered].find(({ versionId }) => versionId === life.diedReading)
    if (alone !== undefined) await assertAttemptNoted(observer, bucket.name, alone)
    return
  }

  const failed = new Set(outcome.answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier))
  const acknowledged = messages.filter(({ messageId }) => !failed.has(messageId))
  await assertAcknowledged(observer, bucket.name, acknowledged)
  trace.push(
    `${requestId} is answered: ${failed.size === 0 ? 'all acknowledged' : `without ${[...failed].join(', ')}`}`,
  )
  const hadTime = batch.time === null && life.remainingMs > SLICE_TIME_MIN_MS
  if (hadTime && areRiddenOut(life.met.filter((fault) => !isOfOneRead(fault)))) {
    const needless = messages.filter(
      ({ messageId, versions }) =>
        failed.has(messageId) && !versions.some(({ versionId }) => life.struck.has(versionId)),
    )
    if (needless.length > 0) {
      throw new Error(`${requestId} had time, and did not acknowledge ${needless.map(({ messageId }) => messageId)}`)
    }
  }

  for (const message of messages) {
    for (const version of message.versions) model.deliver(version, !failed.has(message.messageId))
  }
  if (life.met.length > 0) ingest.noteUnended([...redelivered].map(({ versionId }) => versionId))
  if (batch.fate === 'answered') queue.delete(acknowledged)
  else tally.add('invocation: answer lost')
}
