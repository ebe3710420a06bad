/** What can be said beyond the ledger's facts: what it means that they are as they are, and what to do next. */

import { ATTEMPTS_MAX } from '../../handlers/limits.ts'
import type { VersionOfKey } from '../../handlers/read-ledger/contract.ts'
import type { InBucket } from './bucket.ts'
import type { Explanation } from './commands/explain.ts'
import { formatTime, plural, printable } from './format.ts'

/** What to do about one version. */
export function adviseOnVersion(version: VersionOfKey, explanation: Explanation): string {
  const { owner, executions, stage, key } = explanation
  switch (version.state) {
    case 'loaded':
      return version.documentDroppedAt === null
        ? 'Nothing: it is what readers see.'
        : 'Nothing: the marts have it, and a replay would change nothing.'
    case 'erased':
      return explanation.erasures.some(({ completedAt }) => completedAt === null)
        ? `Its erasure was cut short: run \`sluice erase ${key} --why <text> --stage ${stage}\` again.`
        : 'Nothing: no replay and no repeated event loads it again. Put it anew if it may be kept after all.'
    case 'superseded':
      return 'Nothing: a newer version of the key is loaded, and is what readers see.'
    case 'quarantined':
      return version.reason?.kind === 'unknown-source'
        ? 'Put it under the prefix of its source, or add a source for it (README, "Add a source").'
        : `Ask its owner (${owner ?? 'unknown'}) to put it again, corrected, under the same key: the new version is judged anew.`
    case 'poison': {
      const name = version.batch?.executionName
      const status = name ? executions[name]?.status : undefined
      return status && status !== 'RUNNING' && status !== 'SUCCEEDED'
        ? `Its copy failed: redrive the execution in the console. See \`sluice executions --status ${status} --stage ${stage}\`.`
        : 'Wait: the copy to quarantine/ is made after the commit, by the sweep at the latest.'
    }
    case 'vanished':
      return 'It was deleted before it could be read. Put it again if it is still wanted.'
    case 'attempted':
      return `Wait: its message comes back. After ${ATTEMPTS_MAX} attempts that never end it is refused as crashes-loader.`
    case 'dead_letter':
      return `Wait for the sweep, which tries it again; see why it failed in the log /aws/lambda/sluice-${stage}-ingest.`
    default:
      return 'A state that this release does not know: use the release of Sluice that is deployed.'
  }
}

/** What the bucket and the queues add to what the ledger knows: paragraphs, none when they agree. */
export function adviseOnKey(explanation: Explanation): string[] {
  const { versions, inBucket } = explanation
  if (versions.length === 0) return whyUnknown(explanation)
  if (inBucket.is === 'absent' && !versions.every(({ state }) => state === 'vanished' || state === 'erased')) {
    return ['The object has been deleted since. That unloads nothing.']
  }
  const isNewestKnown = inBucket.is !== 'there' || versions.some(({ versionId }) => versionId === inBucket.versionId)
  if (isNewestKnown || explanation.versionsOmitted > 0) return []
  return [`The newest version in the bucket, ${inBucket.versionId}, is not among them. ${whereItWaits(explanation)}`]
}

function whyUnknown(explanation: Explanation): string[] {
  const { key, bucket, landingBucket, inBucket, stage } = explanation
  if (bucket !== landingBucket)
    return [`Sluice does not watch this bucket: stage ${stage} loads from ${landingBucket}.`]
  const filtered = whyFiltered(key)
  if (filtered !== undefined) return [`${presenceOf(inBucket)} ${filtered}`]
  if (inBucket.is !== 'absent') return [`${presenceOf(inBucket)} ${whereItWaits(explanation)}`]
  return [
    `${presenceOf(inBucket)} Keys are case-sensitive: check the spelling. If it was put and deleted at once, its event may still be on the way.`,
  ]
}

function presenceOf(inBucket: InBucket): string {
  if (inBucket.is === 'absent') return 'The bucket holds no such object now.'
  if (inBucket.is === 'unknown') return 'Whether the bucket holds it cannot be told: you may not read it.'
  return `The bucket holds it${inBucket.putAt === null ? '' : `, put ${formatTime(inBucket.putAt)}`}.`
}

/** Why S3 never tells Sluice of the key, if it does not. */
function whyFiltered(key: string): string | undefined {
  if (key.startsWith('quarantine/')) return 'No file of the ledger has its copy or its reason under this key.'
  if (!key.startsWith('input/')) {
    return 'Sluice is told only of keys that begin with input/: this one is filtered at the source and never loaded.'
  }
  if (!key.endsWith('.json')) {
    return 'Sluice is told only of keys that end in .json, in lower case: this one is filtered at the source and never loaded.'
  }
  return undefined
}

function whereItWaits({ key, stage, queues: { waiting, inFlight, deadLetters } }: Explanation): string {
  const queued = waiting + inFlight + deadLetters
  return queued === 0
    ? 'No message is in a queue, so its event is not there yet, or was sent before Sluice was deployed: ask again in a minute, ' +
        `and if it is still unknown have it loaded: \`sluice backfill --prefix ${quote(key)} --why "..." --stage ${stage}\`.`
    : `Its message should be among those in the queues: ${waiting} waiting, ${inFlight} in flight, ${plural(deadLetters, 'dead letter')}. Ask again in a minute.`
}

/** As a shell takes it for one word, and nothing else. */
const quote = (key: string): string =>
  /^[\w./=-]+$/.test(key) ? key : `'${printable(key).replaceAll("'", String.raw`'\''`)}'`
