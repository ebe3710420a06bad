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
import type { BadFile } from './bad-files.ts'
import type { Deployment } from './deployment.ts'
import { countExecutions, countMessages } from './follow.ts'
import type { DemoInputs } from './inputs.ts'
import { listBucket, type ObjectVersion } from './list-bucket.ts'
import { isInput } from './noise.ts'
import { formatKeys } from './progress.ts'

/** S3 sends one when notifications are set up. It names no object. */
const TEST_EVENTS = 1

export interface Account {
  /** Objects in the bucket that Sluice did not write itself. */
  readonly put: number
  /** Of these, objects that the bucket's filter keeps from the queue. */
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

export async function takeAccount(deployment: Deployment, inputs: DemoInputs): Promise<Account> {
  const { database, bucket } = deployment
  const listed = await listBucket(deployment)
  const written = listed.filter(({ key }) => key.startsWith('quarantine/'))
  const put = listed.filter(({ key }) => !key.startsWith('quarantine/'))
  const expected = put.filter(({ key }) => isInput(key))
  const known = await listVersions(database, bucket)
  const batches = await summarizeBatches(database)
  const executions = await countExecutions(deployment)
  const unmatched = await countUnmatchedDocuments(database)
  const deadLetters = await countMessages(deployment, deployment.deadLetterQueueUrl)
  const unreadable = await countUnreadableMessages(database)

  const expectedIdentities = new Set(expected.map(identityOf))
  const knownIdentities = new Set(known.map(identityOf))
  const quarantined = known.filter(({ state }) => state === 'quarantined')
  const writtenKeys = new Set(written.map(({ key }) => key))
  const extraMessages = batches.messages - TEST_EVENTS - expected.length
  const succeeded = executions.get('SUCCEEDED') ?? 0

  return {
    put: put.length,
    filtered: put.length - expected.length,
    states: countBy(known, ({ state }) => state),
    quarantinedByKind: countBy(quarantined, ({ reason }) => reason?.kind ?? 'without a reason'),
    written: written.length,
    messages: batches.messages,
    redeliveries: batches.repeated,
    batchSizes: await listBatchSizes(database),
    executions,
    commits: await measureCommits(database, bucket),
    problems: [
      ...complain(
        put.length !== inputs.shuffled.length,
        `${inputs.shuffled.length} objects were put, the bucket lists ${put.length}`,
      ),
      ...complainOf(
        'not in the ledger',
        expected.filter((version) => !knownIdentities.has(identityOf(version))),
      ),
      ...complainOf(
        'in the ledger, but no input of the bucket',
        known.filter((version) => !expectedIdentities.has(identityOf(version))),
      ),
      ...complainOf(
        'neither loaded nor quarantined',
        known.filter(({ state }) => state !== 'loaded' && state !== 'quarantined'),
      ),
      ...complainOf('judged otherwise than expected', judgedOtherwise(known, inputs.bad)),
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

/** Files that are bad and loaded, good and quarantined, or quarantined for another reason than the demo knows. */
function judgedOtherwise(known: readonly AccountedVersion[], bad: readonly BadFile[]): AccountedVersion[] {
  const badByKey = new Map(bad.map((file) => [file.key, file]))
  return known.filter(({ key, state, reason }) => {
    const file = badByKey.get(key)
    if (file === undefined) return state === 'quarantined'
    return state === 'loaded' || reason?.kind !== file.kind || reason.issues[0]?.path !== file.path
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
