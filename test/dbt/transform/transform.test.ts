import { appendFileSync, cpSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type DbtServer, installDbt, startDbtServer } from '../../support/dbt.ts'
import {
  addFile,
  FIXTURE,
  firstRow,
  leaseOf,
  leftBy,
  modelsIn,
  relationsOf,
  runsOf,
  transform,
} from './transforming.ts'

let server: DbtServer
beforeAll(async () => {
  await installDbt()
  server = await startDbtServer()
})
afterAll(async () => await server?.[Symbol.asyncDispose]())

test('a transform builds everything, then nothing, then only what depends on the source with a new file', async () => {
  await using db = await server.createDatabase()
  await addFile(db.database, 'orders', { quantity: '2' })

  const first = await transform(db, { execution: 'first' })
  expect(first.status, first.output).toBe(0)
  expect(await firstRow(db, 'fixture_marts.order_totals')).toEqual({ quantity: '2' })
  expect(modelsIn(db)).toEqual(['file_states', 'order_quantities', 'order_totals', 'parcel_counts'])
  expect(first.output).toContain('success  model order_totals')
  expect(await leaseOf(db)).toMatchObject({ heldBy: null, heldUntil: null, succeededAt: expect.any(Date) })
  for (const name of ['manifest.json', 'run_results.json', 'sources.json', 'static_index.html'])
    expect(leftBy(db, `artifacts/${name}`)?.includes(db.credentials.password), name).toBe(false)
  expect(leftBy(db, 'junit.xml')).toContain('<testcase classname="dbt.model" name="order_totals"')
  expect(leftBy(db, 'junit.xml')).toContain('failures="0"')

  const built = await relationsOf(db)
  // It began before the second transform, and is committed after it.
  await db.database.transaction(async (late) => {
    await late.execute(sql`set local idle_in_transaction_session_timeout = 0`)
    await late.execute(sql`set local transaction_timeout = 0`)
    await addFile(late, 'orders', { quantity: '3' })
    const second = await transform(db, { execution: 'second' })
    expect(second.output).toContain('nothing to build')
    expect(second.status).toBe(0)
    expect(leftBy(db, 'run_results.json')).toBeUndefined()
  })
  expect(await relationsOf(db)).toEqual(built)

  await transform(db, { execution: 'third' })
  expect(await firstRow(db, 'fixture_marts.order_totals')).toEqual({ quantity: '5' })
  expect(modelsIn(db)).toEqual(['file_states', 'order_quantities', 'order_totals'])

  expect(await runsOf(db)).toMatchObject([
    { executionName: 'first', buildId: 'transform:1', outcome: 'succeeded', sources: ['orders', 'parcels'], nodes: 5 },
    { executionName: 'second', outcome: 'succeeded', sources: [], nodes: 0, failures: [] },
    { executionName: 'third', outcome: 'succeeded', sources: ['orders'], nodes: 4 },
  ])
})

test('a missing relation is built again, a changed project is built whole', async () => {
  await using db = await server.createDatabase()
  const project = join(mkdtempSync(join(tmpdir(), 'sluice-dbt-project-')), 'project')
  cpSync(FIXTURE, project, { recursive: true })
  await transform(db, { project })

  await db.database.execute(sql`drop table fixture_marts.parcel_counts`)
  const mended = await transform(db, { project })
  expect(mended.output).toContain('Building parcel_counts: it does not exist.')
  expect(modelsIn(db)).toEqual(['parcel_counts'])

  appendFileSync(join(project, 'models/order_totals.sql'), '-- changed\n')
  // A run that fails between two projects leaves a mixture of them.
  await addFile(db.database, 'orders', { quantity: '1' })
  const failed = await transform(db, { project, env: { FIXTURE_FILE_ID: 'null::bigint' } })
  expect(failed.output).toContain('Building everything: the project has changed')
  expect(failed.status).toBe(1)
  expect((await runsOf(db)).at(-1)?.failures).toEqual([
    { name: 'not_null_order_quantities_file_id', kind: 'test', status: 'fail', rows: 1 },
  ])
  cpSync(join(FIXTURE, 'models'), join(project, 'models'), { recursive: true })
  await transform(db, { project })
  expect(modelsIn(db)).toEqual(['file_states', 'order_quantities', 'order_totals', 'parcel_counts'])
})
