import { randomBytes } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase } from '../../../db/client.ts'
import { type DbtDatabase, type DbtRun, startDbtDatabase } from '../../support/dbt.ts'
import { deliveryText, feature, feedText, linesText, movement, orderText, pullRequest } from './bodies.ts'
import { compareColumns } from './catalog.ts'
import { type DbtProcess, startDbt } from './dbt-process.ts'
import { loadFiles, type Put } from './load-files.ts'
import { countersOf, marts, records, rowsOf, select } from './relations.ts'

const at = '2026-11-24T10:00:00Z'
const later = '2026-11-24T11:00:00Z'

/** Files that the second test loads and the third replaces. */
const ordinary: Put[] = [
  { key: 'input/orders/1.json', at, body: orderText({ order_id: 'moves' }) },
  { key: 'input/orders/2.json', at: later, body: orderText({ order_id: 'stays' }) },
  { key: 'input/orders/3.json', at: later, body: orderText({ order_id: 'moves', total: 2 }) },
  { key: 'input/earthquakes/1.json', at, body: feedText([feature('a'), feature('b')]) },
  { key: 'input/earthquakes/2.json', at, body: feedText([feature('b', { updated: 2 }), feature('c')]) },
]

/** What is built, tested and asked about in the tests below, one after the other. */
let db: DbtDatabase
let dbt: DbtProcess
beforeAll(async () => {
  db = await startDbtDatabase()
  dbt = await startDbt(db)
})
afterAll(async () => {
  await dbt[Symbol.asyncDispose]()
  await db[Symbol.asyncDispose]()
})

function expectSuccess({ status, stdout, results }: DbtRun): void {
  const failed = results?.results.filter((result) => !/^(success|pass)$/.test(result.status))
  expect(failed ?? [], stdout).toEqual([])
  expect(status, stdout).toBe(0)
}

async function build(): Promise<void> {
  expectSuccess(await dbt.run('build', '--exclude-resource-type', 'unit_test'))
}

test('the unit tests of the models pass', async () => {
  // They need the tables, and nothing in them.
  expectSuccess(await dbt.run('run'))
  const tested = await dbt.run('test', '--select', 'test_type:unit')
  expectSuccess(tested)
  expect(tested.results?.results.length).toBeGreaterThanOrEqual(11)
})

test('documents that no contract refuses break no build', async () => {
  // Longer than a B-tree takes, and compressing makes it no shorter.
  const long = randomBytes(5_000).toString('hex')
  const odd = (text: string) => text.replace('"total":19.9', '"total":1e400')
  await loadFiles(db.database, [
    {
      key: 'input/orders/year-0.json',
      at,
      body: orderText({ order_id: 'year-0', ordered_at: '0000-01-01T00:00:00Z' }),
    },
    {
      key: 'input/orders/offset.json',
      at,
      body: orderText({ order_id: 'offset', ordered_at: '2026-11-24T10:00:00+23:59' }),
    },
    { key: 'input/orders/big.json', at, body: odd(orderText({ order_id: 'big' })) },
    { key: 'input/orders/long.json', at, body: orderText({ order_id: long }) },
    {
      key: 'input/orders/digits.json',
      at,
      body: orderText({ order_id: 'digits' }).replace('19.9', '12345678901234567890.123').replace('9.95', '1e-400'),
    },
    {
      key: 'input/earthquakes/odd.json',
      at,
      body: feedText([
        feature(long, { time: 'T', updated: 'U' }),
        feature('infinite', { time: 'U', updated: 'T', place: null, magType: { any: 'thing' } }),
      ])
        .replaceAll('"T"', '1e400')
        .replaceAll('"U"', '-1e-400'),
    },
    { key: 'input/earthquakes/quiet.json', at, body: feedText([]) },
    {
      key: 'input/stock-movements/odd.json',
      at,
      body: linesText([movement(long, { moved_at: '0000-02-29T00:00:00Z' })]),
    },
    { key: 'input/github/ping/empty.json', at, body: '{}' },
    { key: 'input/github/no-event.json', at, body: deliveryText({ action: long }) },
    {
      key: 'input/github/pull_request/odd.json',
      at,
      body: deliveryText({
        repository: { id: 1, full_name: long, owner: { login: '', id: 2 } },
        pull_request: pullRequest(7, { updated_at: 'infinity', merged_at: { never: true }, closed_at: 7, state: '' }),
      }).replace('"number":7', '"number":1e400'),
    },
  ])
  await loadFiles(db.database, ordinary)
  await build()

  expect(
    await select(
      db.database,
      `select order_id, ordered_at, total::text from marts.orders
        where order_id in ('big', 'digits', 'offset', 'year-0') order by 1`,
    ),
  ).toEqual([
    { order_id: 'big', ordered_at: '2026-11-24 10:00:00+00', total: `1${'0'.repeat(400)}` },
    { order_id: 'digits', ordered_at: '2026-11-24 10:00:00+00', total: '12345678901234567890.123' },
    { order_id: 'offset', ordered_at: null, total: '19.9' },
    { order_id: 'year-0', ordered_at: null, total: '19.9' },
  ])
  expect(
    await select(
      db.database,
      `select occurred_at, updated_at from marts.earthquakes where length(earthquake_id) > 1 order by length(earthquake_id)`,
    ),
  ).toEqual([
    { occurred_at: '1970-01-01 00:00:00+00', updated_at: null },
    { occurred_at: null, updated_at: '1970-01-01 00:00:00+00' },
  ])
  expect(await select(db.database, 'select state, updated_at, merged_at from marts.github_pull_requests')).toEqual([
    { state: '', updated_at: null, merged_at: null },
  ])
})

test('what a newer version drops leaves the models, and what another transaction still writes is not skipped', async () => {
  const orders = `select order_id, total::text, object_key from marts.orders where object_key ~ '[123].json' order by 1`
  expect(await select(db.database, orders)).toEqual([
    { order_id: 'moves', total: '2', object_key: 'input/orders/3.json' },
    { order_id: 'stays', total: '19.9', object_key: 'input/orders/2.json' },
  ])

  await loadFiles(db.database, [
    // The order is in no newer file any more, and lives on in the older one.
    { key: 'input/orders/3.json', at: later, body: orderText({ order_id: 'new' }) },
    // A bad newer version takes nothing away.
    { key: 'input/orders/2.json', at: later, body: '{"order_id":"stays"}' },
    { key: 'input/earthquakes/2.json', at: later, body: feedText([]) },
  ])
  const other = openDatabase(db.credentials, 'test')
  await other.transaction(async (transaction) => {
    // dbt takes longer than any function may.
    await transaction.execute(sql`set local idle_in_transaction_session_timeout = 0`)
    await transaction.execute(sql`set local transaction_timeout = 0`)
    // Begun before the run, with a time before it, and committed after it.
    await loadFiles(transaction, [{ key: 'input/orders/late.json', at, body: orderText({ order_id: 'late' }) }])
    // Committed before the run, above the bound that the open transaction sets: left to the next run.
    await loadFiles(db.database, [{ key: 'input/orders/held.json', at, body: orderText({ order_id: 'held' }) }])
    await build()
  })
  await other.$client.end()
  expect(await select(db.database, orders)).toEqual([
    { order_id: 'moves', total: '19.9', object_key: 'input/orders/1.json' },
    { order_id: 'new', total: '19.9', object_key: 'input/orders/3.json' },
    { order_id: 'stays', total: '19.9', object_key: 'input/orders/2.json' },
  ])
  expect(
    await select(db.database, `select order_id from marts.order_lines where order_id in ('late', 'held')`),
  ).toEqual([])
  expect(
    await select(
      db.database,
      `select earthquake_id, object_key from marts.earthquakes where length(earthquake_id) = 1 order by 1`,
    ),
  ).toEqual(['a', 'b'].map((id) => ({ earthquake_id: id, object_key: 'input/earthquakes/1.json' })))

  await build()
  const lines = `select order_id, sku, quantity::text, unit_price::text from marts.order_lines where order_id in ('late', 'held') order by 1`
  expect(await select(db.database, lines)).toEqual(
    ['held', 'late'].map((id) => ({ order_id: id, sku: 'S-1', quantity: '2', unit_price: '9.95' })),
  )
})

test('a run with nothing new writes nothing', async () => {
  const tables = [...records, ...marts, 'ingest.transform_watermarks']
  const written = async () => {
    const counters = await countersOf(db.database)
    return tables.map((table) => `${table}: ${counters.get(table)?.written}`)
  }
  const watermarks = await rowsOf(db.database, 'ingest.transform_watermarks')
  const before = await written()
  expect(
    before.every((line) => /: [1-9]/.test(line)),
    before.join('\n'),
  ).toBe(true)
  await build()
  expect(await written()).toEqual(before)
  expect(await rowsOf(db.database, 'ingest.transform_watermarks')).toEqual(watermarks)
})

test('a change of status alone moves a file from one count to the other', async () => {
  const refused = `select day::text, quarantined::integer, poison::integer, files::integer from marts.ingest_daily
    where source = 'orders'`
  expect(await select(db.database, refused)).toEqual([{ day: '2026-11-24', quarantined: 0, poison: 1, files: 12 }])
  await db.database.execute(sql`
    update ingest.files set status = 'quarantined', changed_xid = pg_current_xact_id() where status = 'poison'`)
  await build()
  expect(await select(db.database, refused)).toEqual([{ day: '2026-11-24', quarantined: 1, poison: 0, files: 12 }])
  expect(
    await select(db.database, 'select source, kind, path, files::integer, example_key from marts.quarantine_reasons'),
  ).toEqual([
    { source: 'orders', kind: 'contract', path: '$.ordered_at', files: 1, example_key: 'input/orders/2.json' },
  ])
})

test('every column of every model is documented', async () => {
  expectSuccess(await dbt.run('docs', 'generate', '--no-compile'))
  expect(await compareColumns(db.target)).toEqual({ undocumented: [], missing: [] })
})
