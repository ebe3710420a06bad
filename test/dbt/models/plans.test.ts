import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type DbtDatabase, startDbtDatabase } from '../../support/dbt.ts'
import { deliveryText, feature, feedText, linesText, movement, orderText, pullRequest } from './bodies.ts'
import { type DbtProcess, startDbt } from './dbt-process.ts'
import { loadFiles } from './load-files.ts'
import { countersOf } from './relations.ts'

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

/** Enough that PostgreSQL prefers an index to reading them all. */
const FILES = 3_000

/** Copies of a document, all loaded, spread over 300 days. */
async function loadCopies(source: string, folder: string, records: number, body: string): Promise<void> {
  await db.database.execute(sql`
    with added as (
      insert into ingest.files (bucket, key, version_id, source, sequencer, size_bytes, event_at, status, records, loaded_on)
      select 'landing', 'input/' || ${source}::text || '/' || ${folder}::text || n || '.json', 'v', ${source}, '01', 100,
        timestamptz '2026-01-01' + n * interval '144 minutes', 'loaded', ${records}::integer, (now() at time zone 'UTC')::date
      from generate_series(1, ${FILES}::integer) as n
      returning id, loaded_on, key
    )
    insert into raw.documents (file_id, loaded_on, source, payload)
    select id, loaded_on, ${source}, replace(${body}, 'ID', substring(key from '\\d+'))::jsonb from added`)
}

async function run(): Promise<void> {
  const { status, stdout } = await dbt.run('run')
  expect(status, stdout).toBe(0)
}

test('a few new files are looked up, whatever lies beside them', async () => {
  await loadCopies('orders', '', 1, orderText({ order_id: 'ID' }))
  await loadCopies('earthquakes', '', 1, feedText([feature('ID')]))
  await loadCopies('stock-movements', '', 1, `[${JSON.stringify(movement('ID'))}]`)
  await loadCopies(
    'github',
    'pull_request/',
    1,
    deliveryText({ pull_request: pullRequest(7) }).replace('"number":7', '"number":ID'),
  )
  await run()
  await db.database.execute('analyze')

  const at = '2026-06-01T10:00:00Z'
  await loadFiles(db.database, [
    { key: 'input/orders/7.json', at, body: orderText({ order_id: '8' }) },
    { key: 'input/earthquakes/7.json', at, body: feedText([feature('8')]) },
    { key: 'input/stock-movements/7.json', at, body: linesText([movement('8')]) },
    { key: 'input/github/pull_request/7.json', at, body: deliveryText({ pull_request: pullRequest(8) }) },
    { key: 'input/orders/bad.json', at, body: '[' },
  ])
  const before = await countersOf(db.database)
  await run()
  const much = [...(await countersOf(db.database))].flatMap(([table, { read }]) => {
    // The ledger's index by time is BRIN, which pays only in a ledger that is too large for a test.
    if (table.startsWith('ingest.')) return []
    const rows = read - (before.get(table)?.read ?? 0)
    return rows > FILES / 5 ? [`${table}: ${rows}`] : []
  })
  expect(much, 'rows read by table').toEqual([])
})
