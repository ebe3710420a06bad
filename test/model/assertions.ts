/** What must hold while a program runs: at the moment of an acknowledgement, and after each round. */
import assert from 'node:assert/strict'
import type { Session } from '../../db/client.ts'
import type { ObjectVersion } from './bucket.ts'
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
    assert(
      !/absent|attempted|dead_letter/.test(status),
      `${versionId} is ${status} in the ledger when its message is acknowledged`,
    )
  }
  await assertKept(observer, bucket, acknowledged)
}

/** A dead letter that is deleted is in no queue any more, so the ledger must know it. */
export async function assertCollected(observer: Session, bucket: string, deleted: readonly Message[]): Promise<void> {
  const known = new Set((await ledgerOf(observer, bucket)).map(({ versionId }) => versionId))
  for (const { versionId } of deleted.flatMap(({ versions }) => versions)) {
    assert(known.has(versionId), `${versionId} is not in the ledger when its dead letter is deleted`)
  }
  await assertKept(observer, bucket, deleted)
}

async function assertKept(observer: Session, bucket: string, messages: readonly Message[]): Promise<void> {
  const unreadable = messages.filter(({ isUnreadable }) => isUnreadable)
  if (unreadable.length === 0) return
  const kept = new Set((await keptMessagesOf(observer, bucket)).map(({ messageId }) => messageId))
  for (const { messageId } of unreadable)
    assert(kept.has(messageId), `${messageId} is gone from its queue and not kept`)
}

/** The process died while it read a file that had come before, and the ledger can tell. */
export async function assertAttemptNoted(
  observer: Session,
  bucket: string,
  { versionId }: ObjectVersion,
): Promise<void> {
  const row = (await ledgerOf(observer, bucket)).find((candidate) => candidate.versionId === versionId)
  assert(
    (row?.attemptsBegun ?? 0) > (row?.attemptsEnded ?? 0),
    `the process died of ${versionId}, and no attempt was noted`,
  )
}

/** A file was loaded alone, and nobody else did it meanwhile. */
export async function assertAttempted(observer: Session, bucket: string, versionId: string): Promise<void> {
  const row = (await ledgerOf(observer, bucket)).find((candidate) => candidate.versionId === versionId)
  assert((row?.attemptsBegun ?? 0) > 0, `${versionId} was loaded alone, and no attempt was noted`)
}

/** The ledger is one that the model allows, and readers see of it what they must. */
export async function assertLedger(observer: Session, { bucket, model }: World, today: string): Promise<void> {
  const rows = await ledgerOf(observer, bucket.name)
  const byVersion = new Map(rows.map((row) => [row.versionId, row]))
  for (const versionId of model.versions.keys()) {
    const row = byVersion.get(versionId)
    model.observe(versionId, row?.status ?? 'absent', row?.id, today)
  }
  for (const { versionId, state } of rows) assert.equal(state, model.stateOf(versionId), `state of ${versionId}`)
}
