import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { firstRow, leaseOf, runsOf, startTransform, transform, untilAsleep } from '../dbt/transform/transforming.ts'
import { type DbtServer, installDbt, startDbtServer } from '../support/dbt.ts'

let server: DbtServer
beforeAll(async () => {
  await installDbt()
  server = await startDbtServer()
})
afterAll(async () => await server?.[Symbol.asyncDispose]())

const SLOW = { FIXTURE_SLEEP_SECONDS: '300' }

test('of two transforms at once one runs; when it is killed, the next says so and does its work', async () => {
  await using db = await server.createDatabase()
  const killed = startTransform(db, { execution: 'killed', env: SLOW })
  await untilAsleep(db)

  const other = await transform(db, { execution: 'other', target: join(db.target, 'other') })
  expect(other).toEqual({ status: 0, output: expect.stringMatching(/another transform is running since 2\d+-.* UTC/) })
  expect(await runsOf(db)).toMatchObject([{ executionName: 'killed', outcome: null }])
  expect((await leaseOf(db)).heldBy).toBe('killed')

  killed.kill('SIGKILL')
  await killed.ended
  const next = await transform(db, { execution: 'next' })
  expect(next.output).toContain('Marked 1 run(s) as lost')
  expect(next.status).toBe(0)
  expect(await runsOf(db)).toMatchObject([{ outcome: 'lost' }, { executionName: 'next', outcome: 'succeeded' }])
  expect(await firstRow(db, 'fixture_marts.parcel_counts')).toMatchObject({ parcels: '0' })
})

test('a transform that is stopped ends its queries and accounts for itself', async () => {
  await using db = await server.createDatabase()
  const stopped = startTransform(db, { execution: 'stopped', env: SLOW })
  await untilAsleep(db)
  stopped.kill('SIGTERM')
  expect(await stopped.ended).toEqual({ status: 143, output: expect.stringContaining('stopped from outside') })
  expect(await runsOf(db)).toMatchObject([{ outcome: 'lost', endedAt: expect.any(Date) }])
  const sleeping = await db.database.execute(
    sql`select from pg_stat_activity where query ~ '^.*pg_sleep' and state = 'active' and pid <> pg_backend_pid()`,
  )
  expect(sleeping.rows).toHaveLength(0)
})

test('a transform whose connections are all cut tries once more, and succeeds', async () => {
  await using db = await server.createDatabase()
  const cut = startTransform(db, { env: { FIXTURE_SLEEP_SECONDS: '2' } })
  await untilAsleep(db)
  await db.database.execute(
    sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
  )
  const { status, output } = await cut.ended
  expect(output).toContain('Trying again once')
  expect(status, output).toBe(0)
  expect(await runsOf(db)).toMatchObject([{ outcome: 'succeeded', nodes: 5, failures: [] }])
})
