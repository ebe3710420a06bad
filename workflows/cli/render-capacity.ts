/** How `sluice capacity` shows plans: loads side by side, and below what must change for each. */
import { PUT_TO_COMMIT_P99_MAX_SECONDS } from '../../handlers/limits.ts'
import { figure, percent } from '../capacity/changes.ts'
import { UTILISATION_LIMIT } from '../capacity/needs.ts'
import type { Plan } from '../capacity/plan.ts'
import { rateOf } from '../capacity/run-stage.ts'
import { formatCount, formatSeconds, plural, renderTable, wrap } from './format.ts'

type Fact = readonly [name: string, figureOf: (plan: Plan) => string]

const FACTS: readonly Fact[] = [
  ['files a second', ({ load }) => figure(rateOf(load))],
  [
    'batch: mean, p50, p99',
    ({ needs: { simulated } }) => {
      const { mean, p50, p99 } = simulated.batches
      return `${Math.round(mean)}, ${Math.round(p50)}, ${Math.round(p99)}`
    },
  ],
  ['put to commit: p50', ({ needs }) => formatSeconds(needs.simulated.lagSeconds.p50)],
  ['put to commit: p99', ({ needs }) => formatSeconds(needs.simulated.lagSeconds.p99)],
  [
    '  as configured: p99',
    ({ asConfigured }) => (asConfigured.isUnstable ? 'without end' : formatSeconds(asConfigured.lagSeconds.p99)),
  ],
  ['concurrency: configured', ({ configured }) => formatCount(configured.ingestConcurrency)],
  ['concurrency: needed', ({ needs }) => formatCount(needs.settings.ingestConcurrency)],
  ['functions busy', ({ needs }) => percent(needs.simulated.functionUtilisation)],
  ['connections at most', ({ needs }) => formatCount(needs.simulated.connectionsMax)],
  ['writer', ({ needs }) => needs.settings.instanceType],
  ['writer busy with loading', ({ needs }) => percent(needs.simulated.writerUtilisation)],
  ['documents, a month', ({ storage }) => gigabytes(storage.documentGigabytesPerMonth)],
  ['ledger and marts, a month', ({ storage }) => gigabytes(storage.keptGigabytesPerMonth)],
  ["Lambda's quota", ({ lambdaQuota }) => formatCount(lambdaQuota)],
  ['executions a second', ({ load, needs }) => figure(rateOf(load) / needs.simulated.batches.mean)],
  ['stages', ({ needs }) => formatCount(needs.stages)],
  ['a month, all stages', ({ dollarsPerMonth }) => `$${formatCount(Math.round(dollarsPerMonth))}`],
  [
    'a million files',
    ({ load, dollarsPerMonth }) => `$${((dollarsPerMonth / load.filesPerDay / (365 / 12)) * 1e6).toFixed(2)}`,
  ],
]

/** What a plan promises, and what it takes for granted. */
export const BOUNDS =
  `Needed is the smallest that keeps p99 under ${PUT_TO_COMMIT_P99_MAX_SECONDS} s, and functions, the writer and dbt busy for at most ` +
  `${percent(UTILISATION_LIMIT)} of the time. All is simulated or estimated: how, and how it is checked, is in docs/capacity.md.`

export function renderPlans(stage: string, plans: readonly Plan[]): string {
  const { kilobytes = 0, peak = 1 } = plans[0]?.load ?? {}
  const when = peak === 1 ? 'all day alike' : `in the busiest hour ${peak} times the mean`
  return [
    `Stage ${stage}, files of ${kilobytes} KB, ${when}. Figures are with what must change, and of each stage if there are several.`,
    renderTable(
      [
        { head: 'files a day', cell: ([name]: Fact) => name, align: 'left' as const },
        ...plans.map((plan) => ({
          head: formatCount(plan.load.filesPerDay),
          cell: ([, figureOf]: Fact) => figureOf(plan),
          align: 'right' as const,
        })),
      ],
      FACTS,
    ),
    ...plans.map(renderChanges),
    wrap(BOUNDS),
  ].join('\n\n')
}

function renderChanges({ load, changes }: Plan): string {
  const what = plural(load.filesPerDay, 'file')
  if (changes.length === 0) return `${what} a day: nothing must change.`
  const lines = changes.map(
    ({ setting, from, to, because }) =>
      `  - ${setting} ${from} -> ${to}\n    ${wrap(because).replaceAll('\n', '\n    ')}`,
  )
  return `${what} a day: must change\n${lines.join('\n')}`
}

const gigabytes = (value: number): string => (value < 1_000 ? `${figure(value)} GB` : `${figure(value / 1_000)} TB`)
