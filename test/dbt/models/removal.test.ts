/** What leaves the models when its document goes: everything when it was erased, nothing when it was dropped by age. */
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase } from '../../../db/client.ts'
import { eraseFromDatabase } from '../../../db/erasures.ts'
import { dropDay, findOldDays } from '../../../db/old-partitions.ts'
import { type DbtDatabase, startDbtDatabase } from '../../support/dbt.ts'
import { succeedTransform } from '../../support/old-days.ts'
import { deliveryText, orderText } from './bodies.ts'
import { type DbtProcess, startDbt } from './dbt-process.ts'
import { loadFiles, nextSequencer } from './load-files.ts'
import { select } from './relations.ts'

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

const at = '2026-11-24T10:00:00Z'

async function build(): Promise<void> {
  const { status, stdout } = await dbt.run('build', '--exclude-resource-type', 'unit_test')
  expect(status, stdout).toBe(0)
}

const erase = (key: string, source: string | null) =>
  eraseFromDatabase(db.database, { bucket: 'landing', key }, { source, versions: [], spellings: [key] })

const ordersIn = async (schema: string) =>
  (
    await select(
      db.database,
      `select order_id, object_key from ${schema === 'marts' ? 'marts.orders' : 'intermediate.int_orders_records'} order by 1, 2`,
    )
  ).map(({ order_id, object_key }) => `${order_id} of ${object_key}`)

test('what was erased leaves every model with the next run, and what another file says of the same ids comes back', async () => {
  const refused = { key: 'input/orders/erased.json', at, body: '{"order_id":"A"}' }
  await loadFiles(db.database, [
    { key: 'input/orders/kept.json', at, body: orderText({ order_id: 'A' }) },
    { key: 'input/orders/erased.json', at, body: orderText({ order_id: 'old' }) },
    { key: 'input/orders/erased.json', at: '2026-11-24T11:00:00Z', body: orderText({ order_id: 'A' }) },
    { key: 'input/github/push/erased.json', at, body: deliveryText() },
    refused,
  ])
  await build()
  expect(await ordersIn('marts')).toEqual(['A of input/orders/erased.json'])
  expect(await select(db.database, 'select count(*)::integer as rows from marts.github_activity_daily')).toEqual([
    { rows: 1 },
  ])
  expect(await select(db.database, 'select example_key from marts.quarantine_reasons')).toEqual([
    { example_key: refused.key },
  ])

  expect(await erase('input/orders/erased.json', 'orders')).toMatchObject({ documents: 2, files: 3, reasons: 1 })
  expect(await erase('input/github/push/erased.json', 'github')).toMatchObject({ documents: 1, files: 1 })
  await build()

  expect(await ordersIn('intermediate')).toEqual(['A of input/orders/kept.json'])
  expect(await ordersIn('marts')).toEqual(['A of input/orders/kept.json'])
  for (const mart of ['github_activity_daily', 'quarantine_reasons'])
    expect(await select(db.database, `select * from marts.${mart}`)).toEqual([])
  expect(
    await select(
      db.database,
      `select source, files::integer, loaded::integer, superseded::integer, poison::integer, erased::integer
       from marts.ingest_daily order by 1`,
    ),
  ).toEqual([
    { source: 'github', files: 1, loaded: 0, superseded: 0, poison: 0, erased: 1 },
    { source: 'orders', files: 4, loaded: 1, superseded: 0, poison: 0, erased: 3 },
  ])
})

test('a day is dropped when the models have read it, and stays in them, also when an older version of a key comes late', async () => {
  const older = nextSequencer()
  await loadFiles(db.database, [{ key: 'input/orders/aged.json', at, body: orderText({ order_id: 'aged' }) }])
  await age('input/orders/aged.json')
  await succeedTransform(db.database)
  const drop = async () => {
    const sweep = openDatabase(db.credentials, 'test-sweep')
    const [first] = await findOldDays(sweep, 30)
    const outcome = first && (await dropDay(sweep, first))
    await sweep.$client.end()
    return outcome
  }
  // The last transform that succeeded would do, but the model is behind.
  expect(await drop()).toBe('unread')

  await build()
  await succeedTransform(db.database)
  expect(await drop()).toBe('dropped')
  await loadFiles(db.database, [
    { key: 'input/orders/aged.json', at, sequencer: older, body: orderText({ order_id: 'older' }) },
  ])
  await build()

  expect(await ordersIn('intermediate')).toContain('aged of input/orders/aged.json')
  expect(await ordersIn('marts')).toEqual(['A of input/orders/kept.json', 'aged of input/orders/aged.json'])
})

test('what was dropped by age leaves the models when it is erased', async () => {
  expect(await erase('input/orders/aged.json', 'orders')).toMatchObject({ documents: 1, files: 2 })
  await build()

  expect(await ordersIn('intermediate')).toEqual(['A of input/orders/kept.json'])
  expect(await ordersIn('marts')).toEqual(['A of input/orders/kept.json'])
})

/** Makes a file one that was loaded 40 days ago. */
async function age(key: string): Promise<void> {
  const [{ name = '', day = '' } = {}] = await select(
    db.database,
    `select to_char(current_date - 40, '"documents_"YYYYMMDD') as name, (current_date - 40)::text as day`,
  )
  await db.database.execute(
    sql.raw(`create table raw.${name} partition of raw.documents for values from ('${day}') to (date '${day}' + 1)`),
  )
  await db.database.execute(sql`
    with aged as (update ingest.files set loaded_on = ${day} where key = ${key} returning id)
    update raw.documents set loaded_on = ${day} from aged where file_id = aged.id`)
}
