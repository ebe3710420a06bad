/** Runs dbt/transform.py as a build does, on a small project of the tests' own. */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import type { Session } from '../../../db/client.ts'
import { transformLease, transforms } from '../../../db/schema.ts'
import { endWithThisProcess } from '../../../infra/local/ending.ts'
import { DBT, type DbtDatabase, type DbtResults, PYTHON, pythonEnvironment } from '../../support/dbt.ts'

export const FIXTURE = join(import.meta.dirname, 'fixture')

export interface TransformOptions {
  readonly project?: string
  readonly env?: Readonly<Record<string, string>>
  readonly execution?: string
  /** Folder for dbt's files. Transforms at the same time need one each. */
  readonly target?: string
}

export interface Transformed {
  readonly status: number | null
  readonly output: string
}

export interface RunningTransform {
  readonly output: () => string
  readonly kill: (signal: NodeJS.Signals) => void
  readonly ended: Promise<Transformed>
}

export function executionArn(name: string): string {
  return `arn:aws:states:us-east-1:000000000000:execution:pipeline:${name}`
}

export function startTransform(db: DbtDatabase, options: TransformOptions = {}): RunningTransform {
  const { project = FIXTURE, env = {}, execution, target = db.target } = options
  const child = spawn(PYTHON, [join(DBT, 'transform.py')], {
    cwd: project,
    env: {
      ...pythonEnvironment,
      ...db.env,
      DBT_TARGET_PATH: target,
      SLUICE_STAGE: 'test',
      TRANSFORM_INTERVAL_MINUTES: '15',
      RETRY_PAUSE_SECONDS: '0',
      DATABASE_WAIT_SECONDS: '2',
      PGOPTIONS: '-c client_connection_check_interval=200ms',
      CODEBUILD_BUILD_ID: 'transform:1',
      ...(execution === undefined ? {} : { TRANSFORM_EXECUTION_ARN: executionArn(execution) }),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const forget = endWithThisProcess(() => child.kill('SIGKILL'))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
  const ended = new Promise<Transformed>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => {
      forget()
      resolve({ status, output })
    })
  })
  return { output: () => output, kill: (signal) => child.kill(signal), ended }
}

export async function transform(db: DbtDatabase, options: TransformOptions = {}): Promise<Transformed> {
  return await startTransform(db, options).ended
}

/** Puts a file of a source into the ledger, with its document, as a batch does. */
export async function addFile(session: Session, source: string, payload: object): Promise<void> {
  await session.execute(sql`
    with file as (
      insert into ingest.files (bucket, key, version_id, source, status, loaded_on)
      values ('landing', ${`input/${source}/`} || gen_random_uuid() || '.json', 'v1', ${source}, 'loaded', current_date)
      returning id, loaded_on
    )
    insert into raw.documents (file_id, loaded_on, source, payload)
    select id, loaded_on, ${source}, ${JSON.stringify(payload)}::jsonb from file`)
}

/** Takes away the documents of a source whose quantity is this. */
export async function removeQuantity(db: DbtDatabase, quantity: string): Promise<void> {
  await db.database.execute(sql`delete from raw.documents where payload ->> 'quantity' = ${quantity}`)
}

export async function runsOf(db: DbtDatabase) {
  return await db.database.select().from(transforms).orderBy(transforms.id)
}

export async function leaseOf(db: DbtDatabase) {
  const [lease] = await db.database.select().from(transformLease)
  if (lease === undefined) throw new Error('There is no lease.')
  return lease
}

/** Waits until the fixture's slow model runs in the database. */
export async function untilAsleep(db: DbtDatabase): Promise<void> {
  const asleep = sql`select from pg_stat_activity where query ~ 'pg_sleep' and state = 'active' and pid <> pg_backend_pid()`
  while ((await db.database.execute(asleep)).rows.length === 0) await sleep(50)
}

/** A row of a relation that dbt made; undefined when there is no such relation. */
export async function firstRow(db: DbtDatabase, relation: string): Promise<Record<string, unknown> | undefined> {
  const found = await db.database.execute<{ exists: boolean }>(
    sql`select to_regclass(${relation}) is not null as exists`,
  )
  if (!found.rows[0]?.exists) return undefined
  return (await db.database.execute(sql.raw(`select * from ${relation}`))).rows[0]
}

/** What dbt made, by numbers that are new when it is made anew. */
export async function relationsOf(db: DbtDatabase): Promise<readonly Record<string, unknown>[]> {
  const relations = sql`select oid, relname, relfilenode from pg_class where relnamespace = 'fixture_marts'::regnamespace`
  return (await db.database.execute(relations)).rows
}

/** A file that a transform left; undefined when it left none. */
export function leftBy(db: DbtDatabase, name: string): string | undefined {
  const path = join(db.target, name)
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

/** Which models dbt built, or tried to, in the last run. */
export function modelsIn(db: DbtDatabase): string[] {
  const { results } = JSON.parse(leftBy(db, 'run_results.json') ?? '{"results":[]}') as DbtResults
  return results.flatMap(({ unique_id: id }) => (id.startsWith('model.') ? [id.split('.').at(-1) ?? ''] : [])).sort()
}
