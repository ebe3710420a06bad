/** Rules on the bucket where files land: that the very version which a message names can be read as long as there is one. */
import type { Stack } from 'aws-cdk-lib'
import { z } from 'zod'
import { builtIn, type Problem } from './built.ts'
import { daysOf, notificationsIn, redrivesIn } from './resources.ts'

const INPUT = 'input/'

/** What lies there must be restored for hours before it can be read. Glacier Instant Retrieval need not. */
const ARCHIVES = ['GLACIER', 'DEEP_ARCHIVE']

const transition = z.object({ StorageClass: z.string() })

const lifecycleRule = z.object({
  Id: z.string().default('without an id'),
  Status: z.string(),
  Prefix: z.string().default(''),
  ExpirationInDays: z.number().optional(),
  ExpirationDate: z.unknown().optional(),
  NoncurrentVersionExpiration: z.object({ NoncurrentDays: z.number() }).optional(),
  NoncurrentVersionExpirationInDays: z.number().optional(),
  Transition: transition.optional(),
  Transitions: z.array(transition).default([]),
  NoncurrentVersionTransition: transition.optional(),
  NoncurrentVersionTransitions: z.array(transition).default([]),
})
type LifecycleRule = z.output<typeof lifecycleRule>

const bucket = z.object({
  VersioningConfiguration: z.object({ Status: z.string() }).default({ Status: 'Suspended' }),
  LifecycleConfiguration: z.object({ Rules: z.array(lifecycleRule).default([]) }).default({ Rules: [] }),
  IntelligentTieringConfigurations: z
    .array(z.object({ Id: z.string(), Status: z.string(), Prefix: z.string().default('') }))
    .default([]),
})

/** Those of ours that tell of new files: of a bucket that was there before, its owner answers. */
function landingBucketsIn(stack: Stack) {
  const telling = notificationsIn(stack).map(({ properties }) => properties.BucketName)
  return builtIn(stack, 'AWS::S3::Bucket', bucket).filter(({ id }) => telling.includes(id))
}

/** Whether it holds for anything under `input/`: for a folder of it, or for all that `input/` lies in. */
function isOnInput({ Status, Prefix }: { Status: string; Prefix: string }): boolean {
  return Status === 'Enabled' && (Prefix.startsWith(INPUT) || INPUT.startsWith(Prefix))
}

/** Events name versions. Without them an overwrite leaves nothing of what its message was about. */
export function notVersioned(stack: Stack): Problem[] {
  return landingBucketsIn(stack)
    .filter(({ properties }) => properties.VersioningConfiguration.Status !== 'Enabled')
    .map(({ path, properties }) => ({
      at: path,
      says:
        `versioning is ${properties.VersioningConfiguration.Status}, and must be Enabled: a file that is overwritten before it ` +
        'is read would be lost without a trace. Leave versioned: true in landing.ts.',
    }))
}

/** A version outlives every message about it. */
export function deletedTooSoon(stack: Stack): Problem[] {
  const spans = redrivesIn(stack).map(({ queue, deadLetterQueue }) => ({
    alive: daysOf(queue.properties.MessageRetentionPeriod),
    dead: daysOf(deadLetterQueue.properties.MessageRetentionPeriod),
  }))
  const [longest] = spans.toSorted((one, other) => other.alive + other.dead - one.alive - one.dead)
  if (longest === undefined) return []
  const limit = longest.alive + longest.dead
  const why =
    `, and must keep them for more than ${limit} days: a message lives for ${longest.alive} days in its queue and ` +
    `${longest.dead} as a dead letter, and would find its file gone.`

  return landingBucketsIn(stack).flatMap(({ path, properties }) =>
    properties.LifecycleConfiguration.Rules.filter(isOnInput).flatMap((rule) => {
      const remedy = (setting: string) =>
        rule.Id === 'input'
          ? `Raise ${setting} to ${Math.floor(limit) + 1} days`
          : 'Take the rule away: inputRetention and overwrittenInputRetention say how long files are kept'
      const deletes = `the lifecycle rule '${rule.Id}' deletes`
      return endsOf(rule)
        .filter(({ days }) => days <= limit)
        .map(({ what, setting }) => ({ at: path, says: `${deletes} ${what}${why} ${remedy(setting)}.` }))
    }),
  )
}

function endsOf(rule: LifecycleRule): { days: number; what: string; setting: string }[] {
  const overwritten = rule.NoncurrentVersionExpiration?.NoncurrentDays ?? rule.NoncurrentVersionExpirationInDays
  return [
    ...(rule.ExpirationInDays === undefined
      ? []
      : [
          {
            days: rule.ExpirationInDays,
            what: `files under ${INPUT} after ${rule.ExpirationInDays} days`,
            setting: 'inputRetention',
          },
        ]),
    ...(overwritten === undefined
      ? []
      : [
          {
            days: overwritten,
            what: `versions under ${INPUT} ${overwritten} days after they were overwritten`,
            setting: 'overwrittenInputRetention',
          },
        ]),
    // What is put on the day before is a day old then.
    ...(rule.ExpirationDate === undefined
      ? []
      : [{ days: 0, what: `files under ${INPUT} on a date, whatever their age`, setting: 'inputRetention' }]),
  ]
}

/** Nothing that may still be loaded, or replayed, lies where it cannot be read at once. */
export function archived(stack: Stack): Problem[] {
  const why =
    ', from where none can be read before it is restored, so its message would come back until it is a dead letter.'
  return landingBucketsIn(stack).flatMap(({ path, properties }) => {
    const moves = properties.LifecycleConfiguration.Rules.filter(isOnInput).flatMap((rule) => {
      const all = [...rule.Transitions, ...rule.NoncurrentVersionTransitions]
      const found = [...all, rule.Transition, rule.NoncurrentVersionTransition].map((each) => each?.StorageClass ?? '')
      return ARCHIVES.filter((archive) => found.includes(archive)).map(
        (archive) => `the lifecycle rule '${rule.Id}' moves files under ${INPUT} to ${archive}`,
      )
    })
    // All that such a configuration can say is after how many days files are archived.
    const tierings = properties.IntelligentTieringConfigurations.filter(isOnInput).map(
      ({ Id }) => `the Intelligent-Tiering configuration '${Id}' archives files under ${INPUT}`,
    )
    const remedy = `Give it a prefix outside of ${INPUT}; to pay less, choose GLACIER_IR, or lower inputRetention.`
    return [...moves, ...tierings].map((what) => ({ at: path, says: `${what}${why} ${remedy}` }))
  })
}
