/** What all programs of a run share: a database, the cloud in memory, functions. Each program has its own bucket in it. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { type Database, type DatabaseCredentials, openDatabase } from '../../db/client.ts'
import { migrateDatabase } from '../../db/migrate.ts'
import { hurryTime } from './clock.ts'
import { Cloud } from './cloud.ts'
import { LambdaFunction } from './function.ts'
import { createDatabase, createRole, dropRoles, prepareDatabase } from './model-database.ts'
import { Tally } from './tally.ts'

export type DatabaseServer = Omit<DatabaseCredentials, 'dbname'>

/** As many as a round has batches. */
const INGEST_FUNCTIONS = 3
/** As many as run beside the batches of a round, and one to load dead letters for each. */
const UPKEEP_FUNCTIONS = 2

const MIGRATIONS = join(import.meta.dirname, '../../db/migrations')

export interface Laboratory extends AsyncDisposable {
  readonly cloud: Cloud
  /** A connection beside those of the functions: it sees what is committed. */
  readonly observer: Database
  /** Counts what happened, over all programs. */
  readonly tally: Tally
  readonly functions: {
    readonly ingest: readonly LambdaFunction[]
    /** They drain, sweep, replay and quarantine. */
    readonly upkeep: readonly LambdaFunction[]
    readonly load: readonly LambdaFunction[]
    readonly quarantine: LambdaFunction
  }
  /** Ends every process, whatever it is doing. */
  readonly endProcesses: () => Promise<void>
}

/** Makes a database on the server, and everything around it. */
export async function openLaboratory(server: DatabaseServer): Promise<Laboratory> {
  hurryTime()
  const name = `model_${randomBytes(6).toString('hex')}`
  const credentials = { ...server, dbname: name }
  await createDatabase(credentials)
  const observer = openDatabase(credentials, 'model-observer')
  await migrateDatabase(observer, MIGRATIONS)
  await prepareDatabase(observer)

  const cloud = new Cloud()
  const roles: string[] = []
  const make = async (purpose: 'ingest' | 'maintenance'): Promise<LambdaFunction> => {
    const username = `${name}_${roles.length}`
    roles.push(username)
    await createRole(observer, username, purpose)
    return new LambdaFunction(cloud, { ...credentials, username, password: 'first' }, async (password) => {
      await observer.execute(sql.raw(`alter role ${username} password '${password}'`))
      await observer.execute(sql`select pg_terminate_backend(pid) from pg_stat_activity where usename = ${username}`)
    })
  }
  const makeMany = (count: number, purpose: 'ingest' | 'maintenance') =>
    Promise.all(Array.from({ length: count }, () => make(purpose)))
  const functions = {
    ingest: await makeMany(INGEST_FUNCTIONS, 'ingest'),
    upkeep: await makeMany(UPKEEP_FUNCTIONS, 'maintenance'),
    load: await makeMany(UPKEEP_FUNCTIONS, 'ingest'),
    quarantine: await make('maintenance'),
  }
  const endProcesses = async (): Promise<void> => {
    for (const each of Object.values(functions).flat()) await each[Symbol.asyncDispose]()
  }
  return {
    ...{ cloud, observer, functions, endProcesses, tally: new Tally() },
    [Symbol.asyncDispose]: async () => {
      await endProcesses()
      await dropRoles(observer, roles)
      await observer.$client.end()
    },
  }
}
