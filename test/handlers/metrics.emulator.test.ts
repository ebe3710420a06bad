/** What each function prints for CloudWatch, in the end and when things go wrong on the way. */
import { describe, expect, test } from 'vitest'
import { claim } from '../../handlers/claim-transform/claim-transform.ts'
import type { WithDatabase } from '../../handlers/database.ts'
import { ingestBatch } from '../../handlers/ingest/ingest-batch.ts'
import { startInvocation } from '../../handlers/ingest/ingest-slice.ts'
import { quarantineFiles } from '../../handlers/quarantine-files/quarantine-files.ts'
import { awsClients } from '../support/aws.ts'
import { openDrain } from '../support/open-drain.ts'
import { openIngest } from '../support/open-ingest.ts'
import { openReconcile } from '../support/open-reconcile.ts'
import { orderText } from '../support/orders.ts'
import { type PrintedLine, printedBy } from '../support/printed-metrics.ts'
import { lambdaContext, s3Message, sqsEvent } from '../support/s3-events.ts'

const isDown: WithDatabase = () => Promise.reject(Object.assign(new Error('x'), { code: 'ECONNREFUSED' }))
const end = () => startInvocation(lambdaContext()).end

/** Metrics of each line by its source, `function` where it has none. */
const bySource = (lines: readonly PrintedLine[]) =>
  Object.fromEntries(lines.map(({ dimensions, metrics }) => [dimensions.source ?? 'function', metrics]))

describe('the ingest function', () => {
  test('counts what it committed, by source, and how long each new file took', async () => {
    await using ingest = await openIngest()
    const good = await ingest.put('input/orders/good.json', orderText())
    const bad = await ingest.put('input/orders/bad.json', '{')
    const gone = { ...good, s3: { ...good.s3, object: { ...good.s3.object, versionId: 'gone' } } }
    const astray = await ingest.put('input/nobody/astray.json', '{}')

    const first = await printedBy('sluice-test-ingest', () => ingest.ingest(good, bad, gone, astray))
    const second = await printedBy('sluice-test-ingest', () => ingest.ingest(good))

    expect(bySource(first)).toEqual({
      function: { BatchSize: [4], Redeliveries: [0], Slices: [1], PutToCommit: [expect.any(Number)] },
      orders: { FilesLoaded: [1], FilesRefused: expect.any(Array), FilesVanished: [1] },
      none: { FilesLoaded: [0], FilesRefused: [1] },
    })
    expect(bySource(first).orders?.FilesRefused?.toSorted()).toEqual([0, 1])
    expect(bySource(second)).toEqual({
      function: { BatchSize: [1], Redeliveries: [0], Slices: [1] },
      orders: { FilesLoaded: [0], FilesRepeated: [1] },
    })
  })

  test('counts a document that only PostgreSQL refuses as refused', async () => {
    await using ingest = await openIngest()
    const unstorable = await ingest.put('input/orders/nul.json', orderText().replace('{', '{"note":"\\u0000",'))

    const lines = await printedBy('sluice-test-ingest', () => ingest.ingest(unstorable))

    expect(bySource(lines).orders).toEqual({ FilesLoaded: [0], FilesRefused: [1] })
  })

  test('prints one line for itself and one for the source, though redelivered files are loaded alone', async () => {
    await using ingest = await openIngest()
    const records = await Promise.all([1, 2, 3].map((n) => ingest.put(`input/orders/${n}.json`, orderText())))
    const event = sqsEvent(...records.map((record) => s3Message(record)))
    for (const record of event.Records) record.attributes.ApproximateReceiveCount = '2'

    const lines = await printedBy('sluice-test-ingest', () => ingestBatch(ingest.dependencies, event, lambdaContext()))

    expect(lines).toHaveLength(2)
    expect(bySource(lines)).toMatchObject({
      function: { BatchSize: [3], Redeliveries: [3], Slices: [3] },
      orders: { FilesLoaded: [3], FilesRefused: [0, 0, 0] },
    })
  })

  test.each([
    ['cannot be asked', '2', 0],
    ['cannot be written', '1', 1],
  ])('counts no file when the ledger %s, and still its messages', async (_, receives, slices) => {
    await using ingest = await openIngest()
    const event = sqsEvent(s3Message(await ingest.put('input/orders/1.json', orderText())))
    for (const record of event.Records) record.attributes.ApproximateReceiveCount = receives
    const dependencies = { ...ingest.dependencies, withDatabase: isDown }

    const lines = await printedBy('sluice-test-ingest', () => ingestBatch(dependencies, event, lambdaContext()))

    expect(bySource(lines)).toEqual({
      function: { BatchSize: [1], Redeliveries: [Number(receives) - 1], Slices: [slices] },
    })
  })

  test('tells no time of a file that a replay loads', async () => {
    await using ingest = await openIngest()
    const record = await ingest.put('input/orders/1.json', orderText())
    const replayed = JSON.stringify({ Records: [record], replay: { id: 1, copyKey: null } })

    const lines = await printedBy('sluice-test-ingest', () => ingest.ingestBodies([replayed]))

    expect(bySource(lines).function).not.toHaveProperty('PutToCommit')
  })
})

describe('a drain', () => {
  test('counts what it collected and claimed, and what became of each dead letter', async () => {
    await using drain = await openDrain()
    await drain.die(s3Message(await drain.put('1', orderText())), 'anything')

    const collected = await printedBy('sluice-test-collect-dead-letters', () => drain.collect())
    const claimed = await printedBy('sluice-test-claim-dead-letters', () => drain.claim('drain'))
    const [row] = await drain.ledgerRows()
    const loaded = await printedBy('sluice-test-load-file', () => drain.load(row?.id ?? 0))

    expect(bySource(collected)).toEqual({ function: { DeadLettersCollected: [2] } })
    expect(bySource(claimed)).toEqual({ function: { DeadLettersClaimed: [1] } })
    expect(loaded).toMatchObject([
      {
        dimensions: { service: 'sluice-test-load-file', source: 'orders' },
        metrics: { FilesLoaded: [1], FilesRefused: [0] },
      },
    ])
  })

  test('counts what it had collected when the queue fails', async () => {
    await using drain = await openDrain()
    await drain.die('anything')
    let looks = 0
    const remaining = () => {
      if (looks++ > 0) throw new Error('after the first page')
      return 60_000
    }

    const lines = await printedBy('sluice-test-collect-dead-letters', () =>
      drain.collect({}, remaining).catch(() => undefined),
    )

    expect(bySource(lines)).toEqual({ function: { DeadLettersCollected: [1] } })
  })
})

test('the function that quarantines counts what it moved, and what had no copy', async () => {
  await using ingest = await openIngest()
  await ingest.ingest(await ingest.put('input/orders/bad.json', '{'))
  const [row] = await ingest.ledgerRows()
  const quarantine = { s3: ingest.s3, withDatabase: ingest.dependencies.withDatabase }

  const lines = await printedBy('sluice-test-quarantine-files', () => quarantineFiles(quarantine, [row?.id ?? 0]))

  expect(bySource(lines)).toEqual({ function: { FilesQuarantined: [1], FilesWithoutCopy: [0] } })
})

test('the clock claims a transform once', async () => {
  await using drain = await openDrain()
  const ask = () => claim(drain.withDatabase, 'execution', 60, end())

  const lines = await printedBy('sluice-test-claim-transform', async () => [await ask(), await ask()])

  expect(lines.map(({ metrics }) => metrics)).toEqual([{ TransformsClaimed: [1] }, { TransformsClaimed: [0] }])
})

describe('a reconciliation', () => {
  test('counts what it listed and what was missing, a page that failed not', async () => {
    await using open = await openReconcile()
    await open.put('input/orders/1.json')
    await open.put('input/readme.txt')

    const failing = open.reconcile({}, { sqs: awsClients('http://127.0.0.1:1').sqs }).catch(() => undefined)
    expect(bySource(await printedBy('sluice-test-reconcile-files', () => failing))).toEqual({
      function: { VersionsListed: [0], FilesMissing: [0] },
    })
    expect(bySource(await printedBy('sluice-test-reconcile-files', () => open.reconcile()))).toEqual({
      function: { VersionsListed: [2], FilesMissing: [1] },
    })
  })

  test('that is a backfill misses nothing', async () => {
    await using open = await openReconcile()
    await open.put('input/orders/1.json')

    expect(
      bySource(await printedBy('sluice-test-reconcile-files', () => open.reconcile({ isBackfill: true }))),
    ).toEqual({ function: { VersionsListed: [1] } })
  })
})

describe('the sweep', () => {
  test('tells for how many days partitions are ready, those that it made included, and how many are overdue', async () => {
    await using drain = await openDrain()
    await drain.database.execute(`do $$ begin
      execute format('drop table raw.%I', to_char((now() at time zone 'UTC')::date + 3, '"documents_"YYYYMMDD'));
    end $$`)

    const lines = await printedBy('sluice-test-sweep', () => drain.sweep())
    expect(lines.map(({ metrics }) => metrics)).toEqual([{ PartitionDaysAhead: [30] }, { PartitionsOverdue: [0] }])
  })

  test('tells nothing when the database is down', async () => {
    await using drain = await openDrain()

    expect(await printedBy('sluice-test-sweep', () => drain.sweep({ withDatabase: isDown }))).toEqual([])
  })
})
