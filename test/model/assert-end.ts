/** What must hold at the end of a program, when every message was acknowledged: nothing is missing and nothing is there twice. */
import assert from 'node:assert/strict'
import type { Session } from '../../db/client.ts'
import type { Execution } from './cloud.ts'
import { asStored, batchesOf, documentsOf, keptMessagesOf, type LedgerRow, ledgerOf } from './observe.ts'
import type { World } from './world.ts'

/** Ledger, documents, batches, executions, kept messages and quarantined copies all tell the model's story. */
export async function assertEnd(observer: Session, world: World, executions: readonly Execution[]): Promise<void> {
  const { bucket, model } = world
  const rows = await ledgerOf(observer, bucket.name)
  const versionIds = rows.map(({ versionId }) => versionId)
  assert.deepEqual(versionIds.sort(), [...model.versions.keys()].sort(), 'versions in the ledger')
  for (const row of rows) assertFile(row, world)
  await assertDocuments(observer, world)
  await assertBatches(observer, world, rows, executions)

  const kept = await keptMessagesOf(observer, bucket.name)
  assert.deepEqual(
    new Map(kept.map(({ messageId, body }) => [messageId, body])),
    new Map(world.unreadable.map(({ messageId, body }) => [messageId, body])),
    'messages kept for a person',
  )
}

/** The reason is the file's own, no attempt is left open, and a quarantined file has its copy or says why not. */
function assertFile(row: LedgerRow, { bucket, model }: World): void {
  const { versionId, status } = row
  const { verdict, object, existence } = model.version(versionId)
  assert.equal(row.attemptsBegun, row.attemptsEnded, `attempts of ${versionId} begun and ended`)
  assert.equal(row.sequencer, object.sequencer, `sequencer of ${versionId}`)
  const wanted = verdict.status === 'poison' && /poison|quarantined/.test(status) ? verdict : undefined
  const [issue] = row.reason?.issues ?? []
  assert.deepEqual([row.reason?.kind, issue?.path], [wanted?.kind, wanted?.path], `reason of ${versionId}`)
  if (status !== 'quarantined') return
  if (row.quarantineKey === null) {
    assert.equal(existence, 'deleted', `${versionId} exists, and was quarantined without a copy`)
    assert.match(row.quarantineNote ?? '', /deleted/)
  } else {
    assert.deepEqual(bucket.bodyOf(row.quarantineKey), Buffer.from(object.body), `copy of ${versionId}`)
  }
}

/** One document for each loaded version, in the load day that the ledger says, and every number as it was written. */
async function assertDocuments(observer: Session, { bucket, model }: World): Promise<void> {
  const loaded = [...model.versions.values()].flatMap(({ object, verdict }) =>
    verdict.status === 'loaded' && model.statusOf(object.versionId) === 'loaded'
      ? [{ object, text: verdict.text }]
      : [],
  )
  const texts = await asStored(
    observer,
    loaded.map(({ text }) => text),
  )
  const documents = await documentsOf(observer, bucket.name)
  const comparable = (versionId: string, text: string | undefined) => `${versionId} ${text}`
  assert.deepEqual(
    documents.map(({ versionId, text }) => comparable(versionId, text)).sort(),
    loaded.map(({ object }, position) => comparable(object.versionId, texts[position])).sort(),
    'documents',
  )
  for (const { versionId, isOnItsDay } of documents)
    assert(isOnItsDay, `${versionId} lies in another day than its file`)
}

/** Each version counts as new in exactly one batch, and each batch with something new asked for one execution of its own. */
async function assertBatches(
  observer: Session,
  { bucket, requests }: World,
  rows: readonly LedgerRow[],
  executions: readonly Execution[],
): Promise<void> {
  const batches = await batchesOf(observer, bucket.name)
  for (const batch of batches) {
    const decided = rows.filter(({ batchId }) => batchId === batch.id)
    const ids = (pattern: RegExp) => decided.filter(({ status }) => pattern.test(status)).map(({ id }) => id)
    const poison = ids(/poison|quarantined/)
    const { loaded, vanished, repeated } = batch
    assert.equal(loaded, ids(/loaded/).length, `newly loaded files of batch ${batch.id}`)
    assert.equal(batch.poison, poison.length, `new poison of batch ${batch.id}`)
    // A version may vanish for one function while another is about to commit what it still read.
    assert(vanished >= ids(/vanished/).length, `vanished files of batch ${batch.id}`)
    assert.equal(batch.files, loaded + batch.poison + vanished + repeated, `files of batch ${batch.id}`)

    const isNew = loaded + batch.poison + vanished > 0
    assert.equal(batch.executionName !== null, isNew, `whether batch ${batch.id} asks for an execution`)
    assert.equal(batch.startedAt !== null, isNew, `whether the execution of batch ${batch.id} is started`)
    if (!isNew) continue
    const { trigger, batchId, poisonFileIds } = JSON.parse(batch.executionInput ?? 'null')
    assert.deepEqual([trigger, batchId, poisonFileIds.toSorted()], ['batch', batch.id, poison.toSorted()])
  }
  assert.deepEqual(
    executions.map(({ name, input }) => `${name} ${input}`).sort(),
    batches
      .filter(({ executionName }) => executionName !== null)
      .map(({ executionName, executionInput }) => `${executionName} ${executionInput}`)
      .sort(),
    'executions started',
  )
  const transforms = executions.filter(({ input }) => JSON.parse(input).transform === true)
  assert.equal(transforms.length, Math.min(1, executions.length), 'batches that took the lease of the transform')
  for (const [requestId, messages] of requests) {
    const counted = batches.filter((batch) => batch.requestId === requestId).map((batch) => batch.messages)
    assert(counted.reduce((sum, count) => sum + count, 0) <= messages, `messages of ${requestId}`)
  }
}
