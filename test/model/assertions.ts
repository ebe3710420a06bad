/** What must hold while a program runs: at the moment of an acknowledgement, and after each round. */
import assert from 'node:assert/strict'
import type { Session } from '../../db/client.ts'
import { keptMessagesOf, ledgerOf } from './observe.ts'
import type { Message } from './queue.ts'
import type { World } from './world.ts'

/** An acknowledged message is gone for ever, so what it names must be committed by now. */
export async function assertAcknowledged(
  observer: Session,
  bucket: string,
  acknowledged: readonly Message[],
): Promise<void> {
  const rows = new Map((await ledgerOf(observer, bucket)).map((row) => [row.versionId, row]))
  for (const { versionId } of acknowledged.flatMap(({ versions }) => versions)) {
    const status = rows.get(versionId)?.status ?? 'absent'
    assert(!/absent|attempted/.test(status), `${versionId} is ${status} in the ledger when its message is acknowledged`)
  }
  const unreadable = acknowledged.filter(({ isUnreadable }) => isUnreadable)
  if (unreadable.length === 0) return
  const kept = new Set((await keptMessagesOf(observer, bucket)).map(({ messageId }) => messageId))
  for (const { messageId } of unreadable) assert(kept.has(messageId), `${messageId} is acknowledged and not kept`)
}

/** The ledger is one that the model allows, and readers see of it what they must. */
export async function assertLedger(observer: Session, { bucket, model }: World): Promise<void> {
  const rows = await ledgerOf(observer, bucket.name)
  const byVersion = new Map(rows.map((row) => [row.versionId, row]))
  for (const versionId of model.versions.keys()) {
    const row = byVersion.get(versionId)
    model.observe(versionId, row?.status ?? 'absent', row?.id)
  }
  for (const { versionId, state } of rows) assert.equal(state, model.stateOf(versionId), `state of ${versionId}`)
}
