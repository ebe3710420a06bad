/** Decides what in a stage's status a person should look at. What mends itself is no concern until it should have. */
import { PUT_TO_COMMIT_P99_MAX_SECONDS } from '../../handlers/limits.ts'
import type { StatusFacts } from './commands/status.ts'
import { formatSeconds, formatTime, plural, printable } from './format.ts'
import { describeFailures } from './transforms.ts'

export interface Concern {
  readonly what: string
  readonly doNext: string
}

/**
 * Minutes that an execution may be still to be started. The sweep makes up for lost starts every 15 minutes; less would
 * call what is under way a concern, more would hide for hours that the sweep is not running.
 */
const UNSTARTED_MAX_MINUTES = 30

/**
 * Hours by which the marts may be behind files that have come. They are built once an hour: less would call one run that
 * failed twice what it is, more would let a morning's numbers be yesterday's.
 */
const MARTS_BEHIND_MAX_HOURS = 3

/**
 * Hours within which the bucket must have been held against the ledger, where the clock does so once a day: one run may have
 * failed, and was told then.
 */
const UNRECONCILED_MAX_HOURS = 48

/** Statuses of executions that ended without having done their work. */
const FAILURES = ['FAILED', 'TIMED_OUT', 'ABORTED']

type Facts = Pick<
  StatusFacts,
  | 'stage'
  | 'at'
  | 'sources'
  | 'queues'
  | 'executions'
  | 'unstarted'
  | 'putToCommit'
  | 'unreadableMessages'
  | 'transforms'
  | 'reconciliation'
  | 'subscriptions'
>

export function findConcerns(facts: Facts): Concern[] {
  return [
    ...failedExecutions(facts),
    ...deadLetters(facts),
    ...unstartedExecutions(facts),
    ...slowFiles(facts),
    ...silentSources(facts),
    ...unreadableMessages(facts),
    ...missingFiles(facts),
    ...staleReconciliation(facts),
    ...brokenTransform(facts),
    ...staleMarts(facts),
    ...silentTopics(facts),
  ]
}

function failedExecutions({ executions, stage }: Facts): Concern[] {
  return FAILURES.flatMap((status) => {
    const count = executions.byStatus[status] ?? 0
    if (count === 0) return []
    return [
      {
        what: `${plural(count, 'execution')} ${status}`,
        doNext: `See which: \`sluice executions --status ${status} --stage ${stage}\`. Mend the cause, then redrive it in the Step Functions console.`,
      },
    ]
  })
}

function deadLetters({ queues, sources, stage }: Facts): Concern[] {
  const inLedger = sources.reduce((sum, { states }) => sum + states.dead_letter, 0)
  if (queues.deadLetters + inLedger === 0) return []
  return [
    {
      what: `${plural(queues.deadLetters, 'dead letter')} in the queue and ${inLedger} in the ledger`,
      doNext: `They were received too often without being committed: see the log /aws/lambda/sluice-${stage}-ingest. The sweep tries them again.`,
    },
  ]
}

function unstartedExecutions({ unstarted, at, stage }: Facts): Concern[] {
  const { count, oldestReceivedAt } = unstarted
  if (oldestReceivedAt === null || at.getTime() - oldestReceivedAt.getTime() < UNSTARTED_MAX_MINUTES * 60_000) return []
  return [
    {
      what: `${plural(count, 'batch', 'batches')} with an execution still to be started, the oldest since ${formatTime(oldestReceivedAt)}`,
      doNext: `The sweep should have started them: see whether its executions fail (\`sluice executions --stage ${stage}\`).`,
    },
  ]
}

function slowFiles({ putToCommit }: Facts): Concern[] {
  if (putToCommit === null || putToCommit.p99Seconds <= PUT_TO_COMMIT_P99_MAX_SECONDS) return []
  return [
    {
      what: `1 in 100 files took over ${formatSeconds(putToCommit.p99Seconds)} from put to commit`,
      doNext: 'Messages came back, or the queue was long: see the age of its oldest message, and the log of ingest.',
    },
  ]
}

/** One that has never had a file is new, and no concern. */
function silentSources({ sources, at }: Facts): Concern[] {
  return sources.flatMap(({ source, lastLoadedAt, expectedEveryHours }) => {
    if (lastLoadedAt === null || expectedEveryHours === null) return []
    const hours = Math.floor((at.getTime() - lastLoadedAt.getTime()) / 3_600_000)
    if (hours < expectedEveryHours) return []
    return [
      {
        what: `no file of ${source} was loaded for ${plural(hours, 'hour')}; one is expected every ${expectedEveryHours}`,
        doNext: 'See whether files come at all, and whether they are refused: infra/runbook.md, silent-source.',
      },
    ]
  })
}

function unreadableMessages({ unreadableMessages: { recent } }: Facts): Concern[] {
  if (recent === 0) return []
  return [
    {
      what: `${plural(recent, 'message')} named no object`,
      doNext: 'Something other than S3 writes to the queue: ingest.messages has their bodies, and why.',
    },
  ]
}

function missingFiles({ reconciliation, stage }: Facts): Concern[] {
  if (reconciliation === null || reconciliation.missing === 0) return []
  const { missing, missingExamples, startedAt } = reconciliation
  return [
    {
      what: `${plural(missing, 'version')} in the bucket ${missing === 1 ? 'was' : 'were'} not in the ledger at ${formatTime(startedAt)}, such as ${printable(missingExamples[0] ?? '')}`,
      doNext: `What was missing is being loaded. Find out why its event never came: infra/runbook.md, files-missing; then \`sluice reconcile --stage ${stage}\`.`,
    },
  ]
}

/** Where the clock was the last to do it, it should have done it again: a stage whose clock stands still has none by it. */
function staleReconciliation({ reconciliation, at, stage }: Facts): Concern[] {
  if (reconciliation === null || reconciliation.requestedBy !== null) return []
  const { startedAt } = reconciliation
  if (at.getTime() - startedAt.getTime() < UNRECONCILED_MAX_HOURS * 3_600_000) return []
  return [
    {
      what: `the bucket was last held against the ledger at ${formatTime(startedAt)}, and that is due every day`,
      doNext: `See whether the schedule is enabled (EventBridge, Scheduler), or do it now: \`sluice reconcile --stage ${stage}\`.`,
    },
  ]
}

function brokenTransform({ transforms, stage }: Facts): Concern[] {
  const last = transforms.runs.find(({ outcome }) => outcome !== null)
  if (last?.outcome !== 'failed') return []
  return [
    {
      what: `the last transform failed: ${describeFailures(last)}`,
      doNext: `Mend the model and deploy, then \`sluice redrive ${last.executionName ?? '<execution>'} --stage ${stage}\`. Models that do not depend on it are built.`,
    },
  ]
}

function staleMarts({ transforms: { marts }, at, stage }: Facts): Concern[] {
  const { completeUntil, filesBehind } = marts
  if (completeUntil === null || filesBehind === 0) return []
  if (at.getTime() - completeUntil.getTime() < MARTS_BEHIND_MAX_HOURS * 3_600_000) return []
  return [
    {
      what: `the marts are as of ${formatTime(completeUntil)}, and ${plural(filesBehind, 'file')} changed since`,
      doNext: `See why no transform succeeds (\`sluice executions --status FAILED --stage ${stage}\`), or build them now: \`sluice transform --stage ${stage}\`.`,
    },
  ]
}

function silentTopics({ subscriptions, stage }: Facts): Concern[] {
  return subscriptions.flatMap(({ topic, confirmed, unconfirmed }) => {
    const name = `sluice-${stage}-${topic}`
    if (unconfirmed.length > 0)
      return [
        {
          what: `${unconfirmed.join(', ')} ${unconfirmed.length === 1 ? 'has' : 'have'} not confirmed ${name}, and ${unconfirmed.length === 1 ? 'is' : 'are'} told nothing`,
          doNext: 'AWS sent each a mail, "AWS Notification - Subscription Confirmation": follow its link.',
        },
      ]
    if (confirmed > 0) return []
    return [
      {
        what: `nobody is told what ${name} says`,
        doNext: `Name addresses in infra/app.ts (${topic === 'pages' ? 'pageAddresses' : 'noticeAddresses'}) and deploy, or subscribe to the topic.`,
      },
    ]
  })
}
