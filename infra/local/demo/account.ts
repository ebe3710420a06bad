/** The accounting: what lies in the bucket, listed independently, against what the ledger says became of it. */
import {
  type AccountedVersion,
  countUnmatchedDocuments,
  countUnreadableMessages,
  listBatchSizes,
  listVersions,
  measureCommits,
  summarizeBatches,
} from '../../../db/accounting.ts'
import type { Deployment } from './deployment.ts'
import { countExecutions, countMessages } from './follow.ts'
import type { Fate } from './inputs.ts'
import { listBucket, type ObjectVersion } from './list-bucket.ts'
import { isInput } from './noise.ts'
import { formatKeys } from './progress.ts'

/** A version that was put, and what must become of it. */
export interface PutVersion extends ObjectVersion {
  readonly fate: Fate
}

/** S3 sends one when notifications are set up. It names no object. */
const TEST_EVENTS = 1

export interface Account {
  /** Object versions that were put. */
  readonly put: number
  /** Of these, versions that were deleted right after their put. */
  readonly deleted: number
  /** Of these, versions that the bucket's filter keeps from the queue. */
  readonly filtered: number
  /** Versions in the ledger by their state. */
  readonly states: ReadonlyMap<string, number>
  readonly quarantinedByKind: ReadonlyMap<string, number>
  /** Objects that Sluice wrote under `quarantine/`. */
  readonly written: number
  /** Messages that all batches took from the queue, S3's test event among them. */
  readonly messages: number
  /** Files received again after they were committed. */
  readonly redeliveries: number
  readonly batchSizes: readonly number[]
  readonly executions: ReadonlyMap<string, number>
  readonly commits: Awaited<ReturnType<typeof measureCommits>>
  /** What does not add up, one sentence each. */
  readonly problems: readonly string[]
}

export async function takeAccount(deployment: Deployment, puts: readonly PutVersion[]): Promise<Account> {
  const { database, bucket } = deployment
  const listed = await listBucket(deployment)
  const written = listed.filter(({ key }) => key.startsWith('quarantine/'))
  const theirs = listed.filter(({ key }) => !key.startsWith('quarantine/'))
  const kept = puts.filter(({ fate }) => fate.state !== 'loaded or vanished')
  const expected = puts.filter(({ key }) => isInput(key))
  const known = await listVersions(database, bucket)
  const batches = await summarizeBatches(database)
  const executions = await countExecutions(deployment)
  const unmatched = await countUnmatchedDocuments(database)
  const deadLetters = await countMessages(deployment, deployment.deadLetterQueueUrl)
  const unreadable = await countUnreadableMessages(database)

  const quarantined = known.filter(({ state }) => state === 'quarantined')
  const writtenKeys = new Set(written.map(({ key }) => key))
  const extraMessages = batches.messages - TEST_EVENTS - expected.length
  const succeeded = executions.get('SUCCEEDED') ?? 0

  return {
    put: puts.length,
    deleted: puts.length - kept.length,
    filtered: puts.length - expected.length,
    states: countBy(known, ({ state }) => state),
    quarantinedByKind: countBy(quarantined, ({ reason }) => reason?.kind ?? 'without a reason'),
    written: written.length,
    messages: batches.messages,
    redeliveries: batches.repeated,
    batchSizes: await listBatchSizes(database),
    executions,
    commits: await measureCommits(database, bucket),
    problems: [
      ...complainOf('put, but not in the bucket', without(kept, theirs)),
      ...complainOf('in the bucket, but not put', without(theirs, kept)),
      ...complainOf('not in the ledger', without(expected, known)),
      ...complainOf('in the ledger, but no input that was put', without(known, expected)),
      ...complainOf('not what must have become of them', judgedOtherwise(known, puts)),
      ...complainOf(
        'quarantined without a copy',
        quarantined.filter(({ quarantineKey }) => !writtenKeys.has(quarantineKey ?? '')),
      ),
      ...complain(unmatched > 0, `${unmatched} loaded files have no document, or documents no loaded file`),
      ...complain(deadLetters > 0, `${deadLetters} messages are dead letters`),
      ...complain(unreadable > 0, `${unreadable} messages named no object`),
      ...complain(
        // A message may come twice; then the ledger counts the repetition, and nothing is wrong.
        extraMessages < 0 || (extraMessages > 0 && batches.repeated === 0),
        `${batches.messages} messages left the queue; ${expected.length} inputs and ${TEST_EVENTS} test event make ${expected.length + TEST_EVENTS}`,
      ),
      ...complain(
        succeeded !== batches.executions,
        `${batches.executions} executions were wanted, ${succeeded} succeeded`,
      ),
    ],
  }
}

const identityOf = ({ key, versionId }: ObjectVersion): string => `${key}\0${versionId}`

/** The versions that are not among the others. */
function without<Version extends ObjectVersion>(versions: readonly Version[], others: readonly ObjectVersion[]) {
  const identities = new Set(others.map(identityOf))
  return versions.filter((version) => !identities.has(identityOf(version)))
}

/** Versions in another state than their fate, or quarantined for another reason than the demo knows. */
function judgedOtherwise(known: readonly AccountedVersion[], puts: readonly PutVersion[]): AccountedVersion[] {
  const fates = new Map(puts.map((version) => [identityOf(version), version.fate]))
  return known.filter((version) => {
    const fate = fates.get(identityOf(version))
    if (fate?.state === 'loaded or vanished') return version.state !== 'loaded' && version.state !== 'vanished'
    if (fate?.state !== 'quarantined') return version.state !== fate?.state
    const { state, reason } = version
    return state !== fate.state || reason?.kind !== fate.kind || reason.issues[0]?.path !== fate.path
  })
}

function countBy<Item>(items: readonly Item[], nameOf: (item: Item) => string): Map<string, number> {
  const groups = Map.groupBy(items, nameOf)
  return new Map([...groups].map(([name, group]) => [name, group.length]))
}

const complain = (isWrong: boolean, problem: string): string[] => (isWrong ? [problem] : [])

function complainOf(what: string, versions: readonly ObjectVersion[]): string[] {
  if (versions.length === 0) return []
  return [
    `${versions.length} ${what}:\n${formatKeys(versions.map(({ key, versionId }) => `${key} (version ${versionId})`))}`,
  ]
}
