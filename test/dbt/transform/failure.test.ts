import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  DBT,
  type DbtServer,
  installDbt,
  PYTHON,
  pythonEnvironment,
  runProcess,
  startDbtServer,
} from '../../support/dbt.ts'
import {
  addFile,
  executionArn,
  firstRow,
  leaseOf,
  leftBy,
  modelsIn,
  removeQuantity,
  runsOf,
  transform,
} from './transforming.ts'

const SECRET_ROW = 'Rosalind-Franklin'

let server: DbtServer
beforeAll(async () => {
  await installDbt()
  server = await startDbtServer()
})
afterAll(async () => await server?.[Symbol.asyncDispose]())

test('a model that fails is named, never with a row; what depends on it waits until it is mended', async () => {
  await using db = await server.createDatabase()
  await addFile(db.database, 'orders', { quantity: '2' })
  await transform(db)
  await addFile(db.database, 'orders', { quantity: SECRET_ROW })

  const failed = await transform(db, { execution: 'broken' })
  expect(failed.status).toBe(1)
  expect(failed.output).toContain('error    model order_quantities')
  expect(failed.output).toContain('invalid input syntax for type integer (SQLSTATE 22P02)')
  expect(failed.output).toContain('1 failed, 2 skipped')
  const junit = leftBy(db, 'junit.xml')
  expect(junit).toMatch(/name="order_quantities".*<failure type="error" message="[^"]*SQLSTATE 22P02/)
  expect((await runsOf(db)).at(-1)).toMatchObject({
    outcome: 'failed',
    sources: ['orders'],
    nodes: 1,
    failures: [{ name: 'order_quantities', kind: 'model', status: 'error', rows: null }],
  })
  const lease = await leaseOf(db)
  expect(lease.heldBy).toBe('broken')
  expect(Number(lease.heldUntil) - Date.now()).toBeGreaterThan(14 * 60_000)
  // What was there before is still there.
  expect(await firstRow(db, 'fixture_marts.order_totals')).toEqual({ quantity: '2' })

  const notice = await runProcess(PYTHON, [join(DBT, 'notify.py')], {
    env: {
      ...pythonEnvironment,
      DBT_TARGET_PATH: db.target,
      CODEBUILD_BUILD_ID: 'transform:1',
      TRANSFORM_EXECUTION_ARN: executionArn('broken'),
    },
  })
  expect(notice.stdout).toContain('transform failed at order_quantities')
  for (const text of [failed.output, junit, leftBy(db, 'run_results.json'), notice.stdout]) {
    expect(text).not.toContain(SECRET_ROW)
    expect(text).not.toContain(db.credentials.password)
  }

  await removeQuantity(db, SECRET_ROW)
  expect((await transform(db, { execution: 'mended' })).status).toBe(0)
  expect(modelsIn(db)).toEqual(['file_states', 'order_quantities', 'order_totals'])
  expect(await leaseOf(db)).toMatchObject({ heldBy: null, heldUntil: null })
})

test.each([
  ['nobody listens', { PGPORT: '9' }, /could not be reached within 0 s: .*refused/],
  ['the password is wrong', { PGPASSWORD: 'Ada-Lovelace' }, /password authentication failed/],
])(
  'a database that cannot be reached fails the transform in a stated time, and no secret is told: %s',
  async (_what, env, message) => {
    await using db = await server.createDatabase()
    const failed = await transform(db, { env: { DATABASE_WAIT_SECONDS: '0', ...env } })
    expect(failed).toEqual({ status: 1, output: expect.stringMatching(message) })
    expect(failed.output).not.toMatch(`Ada-Lovelace|${db.credentials.password}`)
    expect(leftBy(db, 'junit.xml')).toContain('failures="1"')
  },
)

test('no message of PostgreSQL gets through with what stood in a row', async () => {
  await using db = await server.createDatabase()
  const statements = [
    `select '${SECRET_ROW}'::int`,
    `select '99999999999771'::int`,
    `select '{1,${SECRET_ROW}'::int[]`,
    `select '${SECRET_ROW}'::date`,
    `select '{"a": "${SECRET_ROW}'::jsonb`,
    `select to_date('${SECRET_ROW}', 'YYYY')`,
    `create temp table t (a text unique check (a <> 'x')); insert into t values ('${SECRET_ROW}'), ('${SECRET_ROW}')`,
    `create temp table v (a text check (a = '')); insert into v values ('${SECRET_ROW}')`,
    `do $$ begin raise exception 'bad row: ${SECRET_ROW}'; end $$`,
    'select nothing',
  ]
  const program = `
import json, sys, psycopg2, errors
for statement in json.loads(sys.argv[1]):
    connection = psycopg2.connect()
    try:
        connection.cursor().execute(statement)
    except psycopg2.Error as error:
        print(errors.of_driver(error), "|", errors.scrub("Database Error in model m (m.sql)\\n  " + str(error)))
`
  const { stdout, stderr } = await runProcess(PYTHON, ['-c', program, JSON.stringify(statements)], {
    cwd: DBT,
    env: { ...pythonEnvironment, ...db.env },
  })
  expect(stderr).toBe('')
  const lines = stdout.trim().split('\n')
  const told = lines.map((line) => line.split(' | ')[0])
  expect(told).toEqual([
    'invalid input syntax for type integer (SQLSTATE 22P02)',
    'value "..." is out of range for type integer (SQLSTATE 22003)',
    'malformed array literal (SQLSTATE 22P02)',
    'invalid input syntax for type date (SQLSTATE 22007)',
    'invalid input syntax for type json (SQLSTATE 22P02)',
    'invalid value "..." (SQLSTATE 22007)',
    'duplicate key value violates unique constraint "t_a_key" (SQLSTATE 23505)',
    'new row for relation "v" violates check constraint "v_a_check" (SQLSTATE 23514)',
    'raised by a function (SQLSTATE P0001)',
    'column "nothing" does not exist (SQLSTATE 42703)',
  ])
  expect(told.join()).not.toContain(SECRET_ROW)
})
