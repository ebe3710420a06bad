/** What must hold of the batches, and of the executions that they asked for, at the end of a program. */
import assert from 'node:assert/strict'
import type { Session } from '../../db/client.ts'
import type { Execution } from './cloud.ts'
import { batchesOf, type LedgerRow } from './observe.ts'
import type { World } from './world.ts'

type Batch = Awaited<ReturnType<typeof batchesOf>>[number]

/** Each version counts as new in exactly one batch, and each batch with something new asked for one execution of its own. */
export async function assertBatches(
  observer: Session,
  world: World,
  rows: readonly LedgerRow[],
  executions: readonly Execution[],
): Promise<void> {
  const batches = await batchesOf(observer, world.bucket.name)
  for (const batch of batches) assertBatch(batch, rows, world)
  const ofBatches = executions.filter(({ input }) => JSON.parse(input).trigger === 'batch')
  assert.deepEqual(
    ofBatches.map(({ name, input }) => `${name} ${input}`).sort(),
    batches
      .filter(({ executionName }) => executionName !== null)
      .map(({ executionName, executionInput }) => `${executionName} ${executionInput}`)
      .sort(),
    'executions started',
  )
  const transforms = ofBatches.filter(({ input }) => JSON.parse(input).transform === true).length
  // The lease is for an hour, and a day is the least that passes.
  assert(transforms <= 1 + world.days, `${transforms} batches took the lease of the transform in ${world.days} days`)
  assert(transforms >= Math.min(1, ofBatches.length), 'no batch took the lease of the transform')
  for (const [requestId, messages] of world.requests) {
    const counted = batches.filter((batch) => batch.requestId === requestId).map((batch) => batch.messages)
    // What was committed without an answer is written again: once for each connection that may be lost.
    const tries = world.faulty.has(requestId) ? 3 : 1
    assert(counted.reduce((sum, count) => sum + count, 0) <= messages * tries, `messages of ${requestId}`)
  }
}

function assertBatch(batch: Batch, rows: readonly LedgerRow[], { hasReplays }: World): void {
  const decided = rows.filter(({ batchId }) => batchId === batch.id)
  const ids = (pattern: RegExp) => decided.filter(({ status }) => pattern.test(status)).map(({ id }) => id)
  const poison = ids(/quarantined/)
  const { loaded, vanished, repeated } = batch
  assert.equal(loaded, ids(/loaded/).length, `newly loaded files of batch ${batch.id}`)
  // A replay that is refused again takes the file over from the batch that refused it first.
  if (!hasReplays) assert.equal(batch.poison, poison.length, `new poison of batch ${batch.id}`)
  // A version may vanish for one function while another is about to commit what it still read.
  assert(vanished >= ids(/vanished/).length, `vanished files of batch ${batch.id}`)
  assert.equal(batch.files, loaded + batch.poison + vanished + repeated, `files of batch ${batch.id}`)

  const isNew = loaded + batch.poison + vanished > 0
  assert.equal(batch.executionName !== null, isNew, `whether batch ${batch.id} asks for an execution`)
  assert.equal(batch.startedAt !== null, isNew, `whether the execution of batch ${batch.id} is started`)
  if (!isNew) return
  const { trigger, batchId, poisonFileIds } = JSON.parse(batch.executionInput ?? 'null')
  assert.deepEqual([trigger, batchId], ['batch', batch.id])
  if (!hasReplays) assert.deepEqual(poisonFileIds.toSorted(), poison.toSorted(), `poison of batch ${batch.id}`)
}
