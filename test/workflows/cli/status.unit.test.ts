import { describe, expect, test } from 'vitest'
import { renderStatus, type StatusFacts } from '../../../workflows/cli/commands/status.ts'
import { findConcerns } from '../../../workflows/cli/concerns.ts'
import type { TransformRun } from '../../../workflows/cli/transforms.ts'

const at = new Date('2026-11-24T17:00:00Z')
const minutesAgo = (minutes: number) => new Date(at.getTime() - minutes * 60_000)

const none = {
  loaded: 0,
  superseded: 0,
  quarantined: 0,
  poison: 0,
  vanished: 0,
  attempted: 0,
  dead_letter: 0,
  erased: 0,
}

const transformRun = (fields: Partial<TransformRun> = {}): TransformRun => ({
  ...{ id: 7, executionName: 'batch-20261124T163000Z-41', buildId: 'sluice-prod-transform:1' },
  ...{ startedAt: minutesAgo(30), endedAt: minutesAgo(29), outcome: 'succeeded' },
  ...{ sources: ['orders', 'github'], nodes: 24, failures: [] },
  ...fields,
})

const silentSince = (lastLoadedAt: Date | null) => ({
  ...{ source: 'orders', states: none, lastLoadedAt, expectedEveryHours: 2, putToCommit: null },
})

const reconciliation = (fields: Partial<NonNullable<StatusFacts['reconciliation']>> = {}) => ({
  ...{
    executionName: 'run-1',
    requestedBy: null,
    prefix: 'input/',
    startedAt: minutesAgo(600),
    endedAt: minutesAgo(599),
  },
  ...{ listed: 1_020, ignored: 2, missing: 0, missingExamples: [] },
  ...fields,
})

/** A stage in which all is well; give what the test is about. */
const statusFacts = (fields: Partial<StatusFacts> = {}): StatusFacts => ({
  ...{ stage: 'prod', at, since: minutesAgo(24 * 60) },
  sources: [
    {
      source: 'orders',
      states: { ...none, loaded: 1_000, superseded: 20 },
      lastLoadedAt: minutesAgo(1),
      expectedEveryHours: 2,
      putToCommit: { files: 1_020, p50Seconds: 4.44, p99Seconds: 6.66 },
    },
    { source: 'github', states: none, lastLoadedAt: null, expectedEveryHours: 48, putToCommit: null },
  ],
  putToCommit: { files: 1_020, p50Seconds: 4.44, p99Seconds: 6.66 },
  batches: { count: 19, least: 13, median: 99, most: 100 },
  unstarted: { count: 0, oldestReceivedAt: null },
  unreadableMessages: { count: 0, recent: 0 },
  transforms: { marts: { completeUntil: minutesAgo(30), filesBehind: 240 }, runs: [transformRun()] },
  reconciliation: reconciliation(),
  queues: { waiting: 12, inFlight: 3, deadLetters: 0 },
  executions: { byStatus: { SUCCEEDED: 19 }, isComplete: true },
  subscriptions: [
    { topic: 'pages', confirmed: 1, unconfirmed: [] },
    { topic: 'notices', confirmed: 2, unconfirmed: [] },
  ],
  ...fields,
})

test('a stage in which all is well fits a screen of 80 columns', () => {
  const text = renderStatus(statusFacts(), [])
  expect(text).toBe(`\
Stage prod at 2026-11-24 17:00:00 UTC. Times, sizes and executions since 2026-11-23 17:00:00.

source  loaded  superseded  quarantined    p50    p99  last loaded
github       0           0            0      -      -  -
orders   1,000          20            0  4.4 s  6.7 s  2026-11-24 16:59:00

queues         12 waiting, 3 in flight, 0 dead letters
put to commit  p50 4.4 s, p99 6.7 s, 1,020 files
batches        19, of 13 / 99 / 100 files each (least / median / most)
executions     19 SUCCEEDED
marts          as of 2026-11-24 16:30:00, 240 files changed since
transforms     2026-11-24 16:30:00 succeeded in 60.0 s: 24 models and tests (orders, github)
reconciled     2026-11-24 07:00:00, 1,020 versions, 0 missing
told           pages 1; notices 2

Nothing needs attention.`)
})

test('a stage that has just been deployed is told without a number that there is not', () => {
  const text = renderStatus(
    statusFacts({
      putToCommit: null,
      batches: { count: 0, least: null, median: null, most: null },
      executions: { byStatus: {}, isComplete: true },
    }),
    [],
  )
  expect(text).toContain('put to commit  no files')
  expect(text).toContain('batches        none with files')
  expect(text).toContain('executions     none')
  expect(text).not.toMatch(/null|NaN|undefined/)
})

describe('needs attention:', () => {
  const whatOf = (fields: Partial<StatusFacts>) => findConcerns(statusFacts(fields)).map(({ what }) => what)

  test('nothing, when all is well', () => {
    expect(whatOf({})).toEqual([])
  })

  test.each(['FAILED', 'TIMED_OUT', 'ABORTED'])('an execution that is %s', (status) => {
    expect(whatOf({ executions: { byStatus: { SUCCEEDED: 3, [status]: 1 }, isComplete: true } })).toEqual([
      `1 execution ${status}`,
    ])
  })

  test('a dead letter, in the queue or in the ledger', () => {
    const dead = { ...silentSince(null), source: null, states: { ...none, dead_letter: 2 } }
    expect(whatOf({ queues: { waiting: 0, inFlight: 0, deadLetters: 1 } })).toEqual([
      '1 dead letter in the queue and 0 in the ledger',
    ])
    expect(whatOf({ sources: [dead] })).toEqual(['0 dead letters in the queue and 2 in the ledger'])
  })

  test('an execution that is still to be started after the sweep has had its chance, and not before', () => {
    expect(whatOf({ unstarted: { count: 1, oldestReceivedAt: minutesAgo(29) } })).toEqual([])
    expect(whatOf({ unstarted: { count: 1, oldestReceivedAt: minutesAgo(31) } })).toHaveLength(1)
  })

  test('a transform that failed last, by the names of its models, and not one before that', () => {
    const failures = [
      { name: 'orders', kind: 'model', status: 'error', rows: null },
      { name: 'unique_order_lines', kind: 'test', status: 'fail', rows: 3 },
    ]
    const failed = transformRun({ outcome: 'failed', failures })
    const marts = { completeUntil: minutesAgo(90), filesBehind: 1 }
    const whatOfRuns = (...runs: TransformRun[]) => whatOf({ transforms: { marts, runs } })
    expect(whatOfRuns(failed)).toEqual(['the last transform failed: model orders, test unique_order_lines (3 rows)'])
    expect(whatOfRuns(transformRun({ outcome: null, endedAt: null }), failed)).toHaveLength(1)
    expect(whatOfRuns(transformRun(), failed)).toEqual([])
    expect(whatOfRuns(transformRun({ outcome: 'failed' }))).toEqual(['the last transform failed: before dbt began'])
  })

  test('marts that are hours behind files, and not without a file', () => {
    const behind = (minutes: number, filesBehind: number) =>
      whatOf({ transforms: { marts: { completeUntil: minutesAgo(minutes), filesBehind }, runs: [transformRun()] } })
    expect(behind(181, 1)).toEqual(['the marts are as of 2026-11-24 13:59:00, and 1 file changed since'])
    expect(behind(179, 1)).toEqual([])
    expect(behind(10_000, 0)).toEqual([])
  })

  test('files of which more than 1 in 100 took over two minutes', () => {
    expect(whatOf({ putToCommit: { files: 1, p50Seconds: 1, p99Seconds: 120 } })).toEqual([])
    expect(whatOf({ putToCommit: { files: 1, p50Seconds: 1, p99Seconds: 121 } })).toHaveLength(1)
  })

  test('a source of which nothing came for as long as its definition expects a file, and not one that never had any', () => {
    expect(whatOf({ sources: [silentSince(minutesAgo(119))] })).toEqual([])
    expect(whatOf({ sources: [silentSince(minutesAgo(120))] })).toEqual([
      'no file of orders was loaded for 2 hours; one is expected every 2',
    ])
    expect(whatOf({ sources: [silentSince(null)] })).toEqual([])
  })

  test('versions that the last reconciliation found missing', () => {
    const missing = { missing: 2, missingExamples: ['input/orders/a\u0007.json'] }
    expect(whatOf({ reconciliation: reconciliation(missing) })).toEqual([
      '2 versions in the bucket were not in the ledger at 2026-11-24 07:00:00, such as input/orders/a\\u{7}.json',
    ])
  })

  test('a reconciliation of the clock that is two days old, and none where the clock does not run', () => {
    const twoDays = { startedAt: minutesAgo(48 * 60) }
    expect(whatOf({ reconciliation: reconciliation(twoDays) })).toHaveLength(1)
    expect(whatOf({ reconciliation: reconciliation({ startedAt: minutesAgo(47 * 60) }) })).toEqual([])
    expect(whatOf({ reconciliation: reconciliation({ ...twoDays, requestedBy: 'arn:aws:iam::1:user/ada' }) })).toEqual(
      [],
    )
    expect(whatOf({ reconciliation: null })).toEqual([])
  })

  test('messages that named no object, while they are new', () => {
    expect(whatOf({ unreadableMessages: { count: 5, recent: 0 } })).toEqual([])
    expect(whatOf({ unreadableMessages: { count: 5, recent: 1 } })).toEqual(['1 message named no object'])
  })

  test('that nobody is told, or that who should be has not confirmed it', () => {
    const told = (pages: number, unconfirmed: string[] = []) =>
      whatOf({
        subscriptions: [
          { topic: 'pages', confirmed: pages, unconfirmed },
          { topic: 'notices', confirmed: 1, unconfirmed: [] },
        ],
      })
    expect(told(0)).toEqual(['nobody is told what sluice-prod-pages says'])
    expect(told(0, ['ada@example.com'])).toEqual([
      'ada@example.com has not confirmed sluice-prod-pages, and is told nothing',
    ])
    expect(told(2, ['ada@example.com', 'bob@example.com'])).toEqual([
      'ada@example.com, bob@example.com have not confirmed sluice-prod-pages, and are told nothing',
    ])
  })

  test('what was found, each with what to do next', () => {
    const facts = statusFacts({ executions: { byStatus: { FAILED: 2 }, isComplete: false } })
    const text = renderStatus(facts, findConcerns(facts))
    expect(text).toContain('2 FAILED among the newest')
    expect(text).toContain('Needs attention:\n  - 2 executions FAILED.\n')
    expect(text).toContain('`sluice executions --status FAILED --stage prod`')
  })
})
