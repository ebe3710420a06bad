/** The table at the end of the demo. */
import Table from 'cli-table3'
import { REASON_KINDS } from '../../../handlers/reasons.ts'
import type { Account } from './account.ts'
import { formatCount } from './progress.ts'

type Row = readonly [what: string, value: string, remark?: string]

/** States of the ledger in the order in which they are shown; those that must always be zero only when they are not. */
const STATES = ['loaded', 'quarantined', 'superseded', 'vanished', 'poison', 'dead_letter', 'attempted', 'erased']

/** No line but the rule between two groups: the table is to fit 80 columns. */
const RULES_ONLY = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
  ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
  ...{ left: '', 'left-mid': '', right: '', 'right-mid': '', middle: '', 'mid-mid': '' },
}

export function renderReport(account: Account): string {
  const table = new Table({
    chars: RULES_ONLY,
    style: { head: [], border: [], 'padding-left': 0 },
    colAligns: ['left', 'right', 'left'],
  })
  const groups = [objectRows(account), batchRows(account), timeRows(account)]
  for (const group of groups) {
    // One row of several lines: a rule between groups, none within.
    table.push([0, 1, 2].map((column) => group.map((row) => row[column] ?? '').join('\n')))
  }
  return table.toString()
}

function objectRows({ put, deleted, filtered, states, quarantinedByKind, written }: Account): Row[] {
  const sum = filtered + [...states.values()].reduce((total, count) => total + count, 0)
  const kinds = [...quarantinedByKind]
    .toSorted(([, a], [, b]) => b - a)
    .map(([kind, count]): Row => [`    ${kind}`, formatCount(count), meaningOf(kind)])
  return [
    ['objects put', formatCount(put), `versions; ${deleted} were deleted at once`],
    ['  filtered at the source', formatCount(filtered), 'never reached the queue'],
    ...STATES.flatMap((state): Row[] => {
      const count = states.get(state) ?? 0
      if (count === 0 && state !== 'loaded' && state !== 'quarantined') return []
      const row: Row = [`  ${state}`, formatCount(count)]
      return state === 'quarantined' ? [row, ...kinds] : [row]
    }),
    ['  sum', formatCount(sum), sum === put ? '= objects put' : `NOT the ${formatCount(put)} objects put`],
    ['copies and reasons', formatCount(written), 'written by Sluice under quarantine/'],
  ]
}

function meaningOf(kind: string): string {
  return Object.entries(REASON_KINDS).find(([name]) => name === kind)?.[1] ?? ''
}

function batchRows({ batchSizes, messages, redeliveries, executions }: Account): Row[] {
  const [least = 0] = batchSizes
  const median = batchSizes[batchSizes.length >> 1] ?? 0
  const most = batchSizes.at(-1) ?? 0
  return [
    ['batches', formatCount(batchSizes.length), `${least} / ${median} / ${most} files (least / median / most)`],
    ...histogram(batchSizes).map((line): Row => ['', '', line]),
    ['messages', formatCount(messages), 'the inputs, and the test event of S3'],
    ['  received again', formatCount(redeliveries)],
    ...[...executions].map(([status, count]): Row => [`executions ${status}`, formatCount(count)]),
  ]
}

function timeRows({ commits }: Account): Row[] {
  const { files, p50Seconds, p99Seconds, firstPutAt, lastCommitAt } = commits
  if (p50Seconds === null || p99Seconds === null || firstPutAt === null || lastCommitAt === null) return []
  const seconds = (lastCommitAt.getTime() - firstPutAt.getTime()) / 1_000
  return [
    [
      'files per second',
      (files / seconds).toFixed(0),
      `${formatCount(files)} in ${seconds.toFixed(1)} s, first put to last commit`,
    ],
    ['put to commit, p50', `${p50Seconds.toFixed(1)} s`, 'with the time in which a batch fills'],
    ['put to commit, p99', `${p99Seconds.toFixed(1)} s`],
  ]
}

/** Upper bounds of the bars: a batch holds 100 messages at most. */
const BAR_BOUNDS = [10, 50, 99, 100]

/** Characters of a bar at most, so that the table fits a terminal. */
const BAR_LENGTH = 30

function histogram(sizes: readonly number[]): string[] {
  return BAR_BOUNDS.map((most, position) => {
    const least = (BAR_BOUNDS[position - 1] ?? 0) + 1
    const count = sizes.filter((size) => size >= least && size <= most).length
    const range = least === most ? String(most) : `${least}-${most}`
    return `${range.padStart(7)} ${'\u{2588}'.repeat(Math.min(count, BAR_LENGTH))}${count > 0 ? ' ' : ''}${count}`
  })
}
