import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type DbtDatabase, startDbtDatabase } from '../../support/dbt.ts'
import { orderText } from './bodies.ts'
import { type DbtProcess, startDbt } from './dbt-process.ts'
import { loadFiles, nextSequencer } from './load-files.ts'
import { select } from './relations.ts'

let db: DbtDatabase
let dbt: DbtProcess
beforeAll(async () => {
  db = await startDbtDatabase()
  dbt = await startDbt(db, { SLUICE_STAGE: 'prod' })
})
afterAll(async () => {
  await dbt[Symbol.asyncDispose]()
  await db[Symbol.asyncDispose]()
})

const at = '2026-11-24T10:00:00Z'
const models = ['--select', '+orders']

/** Runs dbt where it must not lose anything. */
async function run(...args: string[]): Promise<string> {
  const { status, stdout } = await dbt.run('run', ...models, ...args)
  expect(status, stdout).toBe(0)
  return stdout
}

const orders = () => select(db.database, 'select order_id, total::text from marts.orders order by 1')

test('outside a laptop nothing is rebuilt from documents that may be gone, unless somebody insists', async () => {
  const older = nextSequencer()
  await loadFiles(db.database, [
    { key: 'input/orders/1.json', at, body: orderText({ order_id: 'A' }) },
    { key: 'input/orders/2.json', at, body: orderText({ order_id: 'B' }) },
  ])
  await run()
  const both = [
    { order_id: 'A', total: '19.9' },
    { order_id: 'B', total: '19.9' },
  ]
  expect(await orders()).toEqual(both)

  // The day is dropped from raw, and an older version of a key comes late: what is there of the newer one stays.
  await db.database.execute(sql`delete from raw.documents`)
  await loadFiles(db.database, [
    { key: 'input/orders/2.json', at, sequencer: older, body: orderText({ order_id: 'older' }) },
    { key: 'input/orders/3.json', at, body: orderText({ order_id: 'C' }) },
  ])
  expect(await run('--full-refresh')).not.toContain('Rebuilding from raw')
  expect(await orders()).toEqual([...both, { order_id: 'C', total: '19.9' }])

  const [day] = await select(db.database, 'select min(loaded_on)::text as oldest from raw.documents')
  const stdout = await run('--full-refresh', '--vars', '{rebuild_from_raw: true}')
  expect(stdout).toContain(`Rebuilding from raw, whose oldest day is ${day?.oldest}.`)
  expect(await orders()).toEqual([{ order_id: 'C', total: '19.9' }])
})

test('a watermark of another server, above every transaction of this one, hides nothing', async () => {
  await db.database.execute(sql`update ingest.transform_watermarks set read_below = '1000000000000'`)
  await loadFiles(db.database, [{ key: 'input/orders/4.json', at, body: orderText({ order_id: 'D' }) }])
  await run()
  expect(await orders()).toEqual(['C', 'D'].map((order_id) => ({ order_id, total: '19.9' })))
})
