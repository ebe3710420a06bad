/** What must hold at the end of a program, when every message was acknowledged: nothing is missing and nothing is there twice. */
import assert from 'node:assert/strict'
import { countUnmatchedDocuments } from '../../db/accounting.ts'
import type { Session } from '../../db/client.ts'
import { assertBatches } from './assert-batches.ts'
import type { Execution } from './cloud.ts'
import { asStored, documentsOf, keptMessagesOf, type LedgerRow, ledgerOf } from './observe.ts'
import type { World } from './world.ts'

/** Ledger, documents, batches, executions, kept messages and quarantined copies all tell the model's story. */
export async function assertEnd(observer: Session, world: World, executions: readonly Execution[]): Promise<void> {
  const { bucket, model } = world
  const rows = await ledgerOf(observer, bucket.name)
  const versionIds = rows.map(({ versionId }) => versionId)
  assert.deepEqual(versionIds.sort(), [...model.versions.keys()].sort(), 'versions in the ledger')
  for (const row of rows) assertFile(row, world)
  assert.equal(
    await countUnmatchedDocuments(observer),
    0,
    'loaded files without their document, or the other way round',
  )
  await assertDocuments(observer, world)
  await assertBatches(observer, world, rows, executions)

  const kept = await keptMessagesOf(observer, bucket.name)
  assert.deepEqual(
    new Map(kept.map(({ messageId, body }) => [messageId, body])),
    new Map(world.unreadable.map(({ messageId, body }) => [messageId, body])),
    'messages kept for a person',
  )
}

/**
 * Its status is final, the reason is the file's own, no attempt is left open but those of processes that died, and a
 * quarantined file has its copy or says why not.
 */
function assertFile(row: LedgerRow, { bucket, model }: World): void {
  const { versionId, status } = row
  const version = model.version(versionId)
  const { verdict, object, existence, lostAttempts, loadedOn } = version
  assert.match(status, /^(loaded|quarantined|vanished)$/, `status of ${versionId}, in the end`)
  const open = row.attemptsBegun - row.attemptsEnded
  assert(
    open >= 0 && open <= lostAttempts,
    `${open} attempts of ${versionId} never ended; ${lostAttempts} may have died`,
  )
  assert.equal(row.sequencer, object.sequencer, `sequencer of ${versionId}`)
  assert.equal(row.loadedOn ?? undefined, loadedOn, `load day of ${versionId}`)
  const [issue] = row.reason?.issues ?? []
  const isCrashed = row.reason?.kind === 'crashes-loader' && model.mayHaveCrashed(version)
  if (!isCrashed) {
    const wanted = verdict.status === 'poison' && status === 'quarantined' ? verdict : undefined
    assert.deepEqual([row.reason?.kind, issue?.path], [wanted?.kind, wanted?.path], `reason of ${versionId}`)
  }
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
