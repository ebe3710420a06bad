// The server process of a throw-away PostgreSQL: launched on its data, shut down, and launched again.

import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pidFileIn, surroundings } from './postgres-files.ts'

/** Started quietly in 0.5 s, on a busy laptop in a few. Less gives up on slow machines, more only delays the message. */
const START_LIMIT_MILLISECONDS = 30_000

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  // It is thrown away after use, so nothing has to survive a crash, and waiting for the disk is most of a small commit.
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
}

export interface PostgresServerOptions {
  /** The folder with PostgreSQL's bin/, lib/ and share/. */
  readonly binaries: string
  readonly data: string
  readonly port: number
  readonly logFile: string
}

export class PostgresServer {
  readonly #options: PostgresServerOptions
  #process: ChildProcess | undefined

  constructor(options: PostgresServerOptions) {
    this.#options = options
  }

  /** Another after each start. */
  get pid(): number {
    return this.#process?.pid ?? 0
  }

  /** Launches it, and waits until it takes connections. Its log is added to. */
  async start(): Promise<void> {
    const { binaries, data, port, logFile } = this.#options
    const log = openSync(logFile, 'a', 0o600)
    const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    this.#process = spawn(join(binaries, 'bin/postgres'), ['-D', data, '-p', String(port), ...settings], {
      ...surroundings,
      stdio: ['ignore', log, log],
      // Its own process group, so that Ctrl-C reaches it through us and not while functions still use it.
      detached: true,
    })
    closeSync(log)
    try {
      await untilReady(this.#process, data, logFile)
    } catch (error) {
      this.kill()
      throw error
    }
  }

  /**
   * PostgreSQL's "fast shutdown": connections are closed, open transactions rolled back, what was committed is written.
   *
   * @param limitMilliseconds after which it is ended the hard way, and what was committed last is lost; never if not given
   */
  async shutDown(limitMilliseconds?: number): Promise<void> {
    const server = this.#process
    if (server === undefined || !isRunning(server)) return
    const exited = new Promise<void>((done) => server.once('exit', () => done()))
    server.kill('SIGINT')
    const killer = limitMilliseconds && setTimeout(() => this.kill(), limitMilliseconds)
    await exited
    clearTimeout(killer)
  }

  kill(): void {
    this.#process?.kill('SIGQUIT')
  }
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
