/** dbt for tests: its packages, and a PostgreSQL of its own. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Database, type DatabaseCredentials, openDatabase } from '../../db/client.ts'
import { migrateDatabase } from '../../db/migrate.ts'
import { endWithThisProcess } from '../../infra/local/ending.ts'
import { startPostgres } from '../../infra/local/postgres.ts'
import { commandLine } from '../../infra/local/processes.ts'
import { MIGRATIONS } from './database.ts'

const ROOT = join(import.meta.dirname, '../..')
const STATE = join(ROOT, '.sluice')
export const PACKAGES = join(STATE, 'dbt-packages')
const LOCK = join(STATE, 'dbt-packages.lock')
const VENV = join(STATE, 'venv/bin')

/** The folder of dbt's project, and of the program that runs it. */
export const DBT = join(ROOT, 'dbt')
export const PYTHON = existsSync(join(VENV, 'python3')) ? join(VENV, 'python3') : 'python3'

/** What a child needs to run Python as the build does: `python3` on the PATH, and dbt's packages. */
export const pythonEnvironment = {
  PATH: `${VENV}:${process.env.PATH}`,
  HOME: process.env.HOME,
  PYTHONPATH: PACKAGES,
  PYTHONDONTWRITEBYTECODE: '1',
  PYTHONUNBUFFERED: '1',
}

export interface Finished {
  /** Null when a signal ended it. */
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command to its end. */
export async function runProcess(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env: NodeJS.ProcessEnv },
): Promise<Finished> {
  const child = spawn(command, args, { cwd: ROOT, ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  const forget = endWithThisProcess(() => child.kill('SIGKILL'))
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text))
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  forget()
  return { status, stdout, stderr }
}

/** Installs dbt into .sluice/dbt-packages, unless it is there. Of several test files at once, one does it. */
export async function installDbt(): Promise<void> {
  mkdirSync(STATE, { recursive: true })
  while (!lock()) await sleep(200)
  try {
    const installed = await runProcess('sh', [join(DBT, 'install.sh'), PACKAGES], {
      env: { ...process.env, PATH: pythonEnvironment.PATH },
    })
    if (installed.status !== 0) throw new Error(`dbt could not be installed.\n${installed.stdout}${installed.stderr}`)
  } finally {
    rmSync(LOCK, { force: true })
  }
}

function lock(): boolean {
  try {
    writeFileSync(LOCK, String(process.pid), { flag: 'wx' })
    return true
  } catch {
    const holder = Number(existsSync(LOCK) ? readFileSync(LOCK, 'utf8') : 0)
    if (holder && commandLine(holder) === undefined) rmSync(LOCK, { force: true })
    return false
  }
}

export interface DbtDatabase extends AsyncDisposable {
  readonly database: Database
  readonly credentials: DatabaseCredentials
  readonly url: string
  /** How dbt's profile and transform.py find it: PGHOST and its like. */
  readonly env: Readonly<Record<string, string>>
  /** Where its runs of dbt leave their files; kept between them, so that dbt parses a project once. */
  readonly target: string
}

export interface DbtServer extends AsyncDisposable {
  /** Makes an empty, migrated database. */
  readonly createDatabase: () => Promise<DbtDatabase>
}

/** A PostgreSQL of its own: transaction ids, which tell what is new, are those of the whole server. */
export async function startDbtServer(): Promise<DbtServer> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-dbt-'))
  const forget = endWithThisProcess(() => rmSync(directory, { recursive: true, force: true }))
  const server = await startPostgres({ directory })
  const { host, port, user: username, password } = server
  const credentialsOf = (dbname: string) => ({ host, port, username, password, dbname })
  let created = 0
  return {
    createDatabase: async () => {
      const credentials = credentialsOf(`dbt_${++created}`)
      const maintenance = openDatabase(credentialsOf('postgres'), 'test')
      await maintenance.execute(`create database ${credentials.dbname}`)
      await maintenance.$client.end()
      const database = openDatabase(credentials, 'test')
      await migrateDatabase(database, MIGRATIONS)
      return {
        database,
        credentials,
        url: `postgres://${username}:${password}@${host}:${port}/${credentials.dbname}`,
        env: {
          PGHOST: host,
          PGPORT: String(port),
          PGDATABASE: credentials.dbname,
          PGUSER: username,
          PGPASSWORD: password,
          PGSSLMODE: 'disable',
        },
        target: join(directory, credentials.dbname),
        [Symbol.asyncDispose]: () => database.$client.end(),
      }
    },
    [Symbol.asyncDispose]: async () => {
      await server.stop()
      rmSync(directory, { recursive: true, force: true })
      forget()
    },
  }
}

/** One migrated database on a server of its own. */
export async function startDbtDatabase(): Promise<DbtDatabase> {
  const server = await startDbtServer()
  const database = await server.createDatabase()
  return {
    ...database,
    [Symbol.asyncDispose]: async () => {
      await database[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

/** The part of dbt's run_results.json that tests look at. */
export interface DbtResults {
  readonly results: readonly {
    readonly unique_id: string
    readonly status: string
    readonly failures: number | null
    readonly message: string | null
    readonly execution_time: number
  }[]
}

export interface DbtRun {
  /** 0: done; 1: a node failed, or dbt could not run; 2: dbt could not even start. */
  readonly status: number
  readonly stdout: string
  /** Undefined after commands that write none. */
  readonly results: DbtResults | undefined
}
