/** What all programs of a run share: a database, the cloud in memory, connections. Each program has its own bucket in it. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import pLimit from 'p-limit'
import { type Database, type DatabaseCredentials, openDatabase } from '../../db/client.ts'
import { migrateDatabase } from '../../db/migrate.ts'
import { databaseFromSecret, type WithDatabase } from '../../handlers/database.ts'
import { Attempts } from '../../handlers/ingest/attempts.ts'
import type { IngestDependencies } from '../../handlers/ingest/ingest-slice.ts'
import type { QuarantineDependencies } from '../../handlers/quarantine-files/quarantine-files.ts'
import { Cloud } from './cloud.ts'

export type DatabaseServer = Omit<DatabaseCredentials, 'dbname'>

/** Turns of an empty loop of PL/pgSQL: 0.1 ms. */
const SPINS_PER_ROW = 20_000

/** As many as a round has batches. */
const FUNCTIONS = 3

const MIGRATIONS = join(import.meta.dirname, '../../db/migrations')

const ENVIRONMENT = { DATABASE_SECRET_ARN: 'arn:aws:secretsmanager:database', DATABASE_SSL: 'disable' } as const

export interface Laboratory extends AsyncDisposable {
  readonly cloud: Cloud
  /** A connection beside those of the functions: it sees what is committed. */
  readonly observer: Database
  /** Ingest functions as they are after a cold start, each with a connection of its own. */
  readonly startFunctions: () => IngestDependencies[]
  readonly quarantine: QuarantineDependencies
}

/** Makes a database on the server, and everything around it. */
export async function openLaboratory(server: DatabaseServer): Promise<Laboratory> {
  const credentials = { ...server, dbname: `model_${randomBytes(6).toString('hex')}` }
  await createDatabase(credentials)
  const observer = openDatabase(credentials, 'model-observer')
  await migrateDatabase(observer, MIGRATIONS)
  await slowDownWriters(observer)

  const cloud = new Cloud(credentials)
  const access = (name: string) => {
    const { s3, secrets, sfn } = cloud.clients()
    return { s3, sfn, withDatabase: databaseFromSecret(secrets, ENVIRONMENT, name) }
  }
  const accesses = Array.from({ length: FUNCTIONS }, (_, n) => access(`model-ingest-${n}`))
  const quarantine = access('model-quarantine')
  return {
    cloud,
    observer,
    startFunctions: () =>
      accesses.map(({ s3, sfn, withDatabase }) => ({
        reader: { s3, limit: pLimit(16) },
        withDatabase,
        attempts: new Attempts(withDatabase),
        sfn,
        stateMachineArn: 'arn:aws:states:us-east-1:000000000000:stateMachine:pipeline',
        transformIntervalMinutes: 60,
      })),
    quarantine,
    [Symbol.asyncDispose]: async () => {
      for (const { withDatabase } of [...accesses, quarantine]) await close(withDatabase)
      await observer.$client.end()
    },
  }
}

const close = (withDatabase: WithDatabase): Promise<void> => withDatabase((database) => database.$client.end())

/**
 * A database that sorts text in natural order (`9` before `10`), as its owner may have wished: what must be compared byte by
 * byte has to say so. Deadlocks show after 100 ms instead of a second.
 */
async function createDatabase(credentials: DatabaseCredentials): Promise<void> {
  const maintenance = openDatabase({ ...credentials, dbname: 'postgres' }, 'model')
  await maintenance.execute(
    `create database ${credentials.dbname} template template0
      encoding 'UTF8' locale 'C' locale_provider icu icu_locale 'und-u-kn-true'`,
  )
  await maintenance.execute(`alter database ${credentials.dbname} set deadlock_timeout = '100ms'`)
  await maintenance.$client.end()
}

/**
 * Makes the ledger take its time over every row, 0.1 ms. The functions of a program share a thread, which sends one statement
 * a millisecond after the other; they meet in the middle of their rows, as functions of their own do, only if it takes longer.
 */
async function slowDownWriters(observer: Database): Promise<void> {
  await observer.execute(`
    create function take_time() returns trigger language plpgsql as $$ begin
      for n in 1..${SPINS_PER_ROW} loop end loop;
      return new;
    end $$`)
  await observer.execute(
    'create trigger take_time before insert on ingest.files for each row execute function take_time()',
  )
}
