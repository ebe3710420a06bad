/** What the command line says of the runs of dbt. Pure. */
import type { LedgerAnswer } from '../../handlers/read-ledger/contract.ts'
import { formatSeconds, formatTime, plural } from './format.ts'

export type TransformRun = LedgerAnswer<'transforms'>['runs'][number]

/** Failures that are named; all are counted. */
const FAILURES_NAMED = 5

/** One run, e.g. `2026-11-24 17:00:00 succeeded in 38.2 s: 24 models and tests (orders)`. */
export function describeRun(run: TransformRun): string {
  const { startedAt, endedAt, outcome } = run
  const started = formatTime(startedAt)
  if (endedAt === null) return `${started} runs`
  const took = formatSeconds((endedAt.getTime() - startedAt.getTime()) / 1_000)
  if (outcome === 'lost') return `${started} lost: it was killed, and the next run did its work`
  if (outcome === 'failed') return `${started} failed after ${took}: ${describeFailures(run)}`
  if (run.nodes === 0) return `${started} succeeded in ${took}: nothing was new`
  return `${started} succeeded in ${took}: ${plural(run.nodes, 'model or test', 'models and tests')} (${run.sources.join(', ')})`
}

/** Which models and tests failed, e.g. `model orders, test unique_orders (3 rows)`. */
export function describeFailures({ failures }: TransformRun): string {
  if (failures.length === 0) return 'before dbt began'
  const named = failures
    .slice(0, FAILURES_NAMED)
    .map(({ kind, name, rows }) => `${kind} ${name}${rows === null ? '' : ` (${plural(rows, 'row')})`}`)
  const more = failures.length - named.length
  return named.join(', ') + (more > 0 ? ` and ${more} more` : '')
}
