import type { Command } from 'commander'
import type { LedgerAnswer } from '../../../handlers/read-ledger/contract.ts'
import { type Concern, findConcerns } from '../concerns.ts'
import { countExecutions, type ExecutionCounts } from '../executions.ts'
import { EXIT_NEEDS_ATTENTION } from '../exit-codes.ts'
import { formatCount, formatSeconds, formatTime, plural, printable, renderFacts, renderTable, wrap } from '../format.ts'
import { askLedger } from '../ledger.ts'
import { globalsOf, instant } from '../options.ts'
import { type QueueDepths, readQueueDepths } from '../queues.ts'
import { connect, type Stage } from '../stage.ts'
import { describeSubscriptions, listSubscriptions, type TopicSubscriptions } from '../subscriptions.ts'
import { describeRun } from '../transforms.ts'

export interface StatusFacts extends LedgerAnswer<'status'> {
  readonly stage: string
  readonly at: Date
  readonly queues: QueueDepths
  readonly executions: ExecutionCounts
  readonly subscriptions: readonly TopicSubscriptions[]
}

export function addStatus(program: Command): void {
  program
    .command('status')
    .description('Account for every object version by source, and say how fast they come and what needs attention.')
    .option('--since <time>', 'window of times, sizes and executions: ISO 8601 in UTC, or 30m, 2h, 3d ago', instant)
    .addHelpText(
      'after',
      '\nThe window is the last 24 hours if not given. Exits with 3 when something needs attention.' +
        '\n\nExamples:\n  sluice status\n  sluice status --since 2h --stage prod\n  sluice status --json',
    )
    .action(async ({ since }: { since?: Date }, command: Command) => {
      const { stage, json } = globalsOf(command)
      const facts = await gatherStatus(connect(stage), since ?? instant('24h'))
      const concerns = findConcerns(facts)
      console.log(json ? JSON.stringify({ ...facts, concerns }, null, 2) : renderStatus(facts, concerns))
      if (concerns.length > 0) process.exitCode = EXIT_NEEDS_ATTENTION
    })
}

async function gatherStatus(stage: Stage, since: Date): Promise<StatusFacts> {
  const at = new Date()
  const [ledger, queues, executions, subscriptions] = await Promise.all([
    askLedger(stage, { question: 'status', since }),
    readQueueDepths(stage),
    countExecutions(stage, since),
    listSubscriptions(stage),
  ])
  return { stage: stage.name, at, ...ledger, queues, executions, subscriptions }
}

export function renderStatus(facts: StatusFacts, concerns: readonly Concern[]): string {
  return [
    `Stage ${facts.stage} at ${formatTime(facts.at)} UTC. Times, sizes and executions since ${formatTime(facts.since)}.`,
    renderSources(facts),
    renderFacts(flowFacts(facts)),
    concerns.length === 0 ? 'Nothing needs attention.' : `Needs attention:\n${concerns.map(renderConcern).join('\n')}`,
  ].join('\n\n')
}

function renderConcern({ what, doNext }: Concern): string {
  return `  - ${what}.\n    ${wrap(doNext).replaceAll('\n', '\n    ')}`
}

function renderSources({ sources }: StatusFacts): string {
  return renderTable(
    [
      { head: 'source', cell: ({ source }) => source ?? '(none)' },
      { head: 'loaded', cell: ({ states }) => states.loaded },
      { head: 'superseded', cell: ({ states }) => states.superseded },
      { head: 'quarantined', cell: ({ states }) => states.quarantined },
      { head: 'poison', cell: ({ states }) => states.poison, isOptional: true },
      { head: 'vanished', cell: ({ states }) => states.vanished, isOptional: true },
      { head: 'attempted', cell: ({ states }) => states.attempted, isOptional: true },
      { head: 'erased', cell: ({ states }) => states.erased, isOptional: true },
      { head: 'dead letter', cell: ({ states }) => states.dead_letter, isOptional: true },
      { head: 'p50', cell: ({ putToCommit }) => secondsOrDash(putToCommit?.p50Seconds), align: 'right' },
      { head: 'p99', cell: ({ putToCommit }) => secondsOrDash(putToCommit?.p99Seconds), align: 'right' },
      { head: 'last loaded', cell: ({ lastLoadedAt }) => (lastLoadedAt === null ? '-' : formatTime(lastLoadedAt)) },
    ],
    sources.toSorted((a, b) => (a.source ?? '~').localeCompare(b.source ?? '~')),
  )
}

const secondsOrDash = (seconds: number | undefined): string => (seconds === undefined ? '-' : formatSeconds(seconds))

function flowFacts(facts: StatusFacts) {
  const { queues, putToCommit, batches, unstarted, executions, unreadableMessages, transforms, subscriptions } = facts
  const { reconciliation } = facts
  const sizes = `${batches.least} / ${batches.median} / ${batches.most} files each (least / median / most)`
  const byStatus = Object.entries(executions.byStatus).map(([status, count]) => `${formatCount(count)} ${status}`)
  return [
    [
      'queues',
      `${formatCount(queues.waiting)} waiting, ${formatCount(queues.inFlight)} in flight, ` +
        `${plural(queues.deadLetters, 'dead letter')}`,
    ],
    [
      'put to commit',
      putToCommit === null
        ? 'no files'
        : `p50 ${formatSeconds(putToCommit.p50Seconds)}, p99 ${formatSeconds(putToCommit.p99Seconds)}, ` +
          `${plural(putToCommit.files, 'file')}`,
    ],
    [
      'batches',
      (batches.count === 0 ? 'none with files' : `${formatCount(batches.count)}, of ${sizes}`) +
        (unstarted.count > 0 ? `, ${formatCount(unstarted.count)} with an execution to be started` : ''),
    ],
    [
      'executions',
      (byStatus.length === 0 ? 'none' : byStatus.join(', ')) + (executions.isComplete ? '' : ' among the newest'),
    ],
    ['marts', describeMarts(transforms.marts)],
    ['transforms', transforms.runs.length === 0 ? 'none' : transforms.runs.map(describeRun).join('\n')],
    ['reconciled', reconciliation === null ? 'never' : describeReconciliation(reconciliation)],
    ['told', describeSubscriptions(subscriptions)],
    ...(unreadableMessages.count > 0
      ? [['unreadable', `${plural(unreadableMessages.count, 'message')} that named no object, kept in ingest.messages`]]
      : []),
  ].map(([name = '', value = '']) => [name, value] as const)
}

function describeReconciliation(reconciliation: NonNullable<StatusFacts['reconciliation']>): string {
  const { startedAt, endedAt, prefix, listed, missing } = reconciliation
  const where = prefix === 'input/' ? '' : ` under ${printable(prefix)}`
  const soFar = endedAt === null ? ' so far' : ''
  return `${formatTime(startedAt)}, ${plural(listed, 'version')}${where}${soFar}, ${formatCount(missing)} missing`
}

function describeMarts({ completeUntil, filesBehind }: StatusFacts['transforms']['marts']): string {
  const changed = `${plural(filesBehind, 'file')} changed since`
  if (completeUntil === null) return `not built yet, ${changed.replace(' since', '')}`
  return `as of ${formatTime(completeUntil)}, ${changed}`
}
