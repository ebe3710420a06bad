// Starts the emulator of AWS (the Python program in emulator/) and waits until it answers.

import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { endWithThisProcess } from './ending.ts'
import { freePort, signalProcess } from './processes.ts'

export interface Emulator {
  /** Of every AWS service, e.g. http://127.0.0.1:4566. */
  readonly endpoint: string
  readonly port: number
  /** Leads a process group that holds everything it started. */
  readonly pid: number
  /** What it and the functions it runs wrote. */
  readonly logFile: string
  readonly stop: () => Promise<void>
}

const ROOT = resolve(import.meta.dirname, '../..')
const PYTHON = join(ROOT, '.sluice/venv/bin/python')
const PROGRAM = join(import.meta.dirname, 'emulator')
const BUILD_CACHE = join(ROOT, '.sluice/codebuild-cache')

/** Started quietly in under a second, right after the installation in a few. Less gives up on slow machines, more only delays the message. */
const START_LIMIT_MILLISECONDS = 60_000

/** How time passes in the emulator. Shortened by tests, so that none of them waits for real time. */
export interface EmulatorPace {
  /** Seconds that a minute of metrics and alarms takes; the program's own default is 5. */
  readonly cloudwatchMinuteSeconds?: number
  /** By how much the waits of state machines are multiplied, those between tries included; 1 if not given. */
  readonly waitScale?: number
}

export interface EmulatorWatch {
  /** Enforces the policies of roles, and writes into calls.jsonl of the directory what each of them calls. */
  readonly recordsCalls?: boolean
}

interface EmulatorOptions extends EmulatorWatch {
  readonly directory: string
  readonly port?: number
  /** Where builds keep their caches. Survives the instance, and is shared by all of this checkout if not given. */
  readonly buildCache?: string
}

/**
 * Starts the emulator on 127.0.0.1 with all its files in `directory`. It ends, with every function it runs, at `stop()`
 * or with this process, even when this process is killed.
 */
export async function startEmulator(options: EmulatorOptions & EmulatorPace): Promise<Emulator> {
  if (!existsSync(PYTHON))
    throw new Error(`The emulator is not installed in ${PYTHON}. Run: node infra/local/setup.mjs`)
  const directory = resolve(options.directory)
  mkdirSync(directory, { recursive: true })
  const port = options.port ?? (await freePort())
  const { cloudwatchMinuteSeconds, waitScale, buildCache = BUILD_CACHE } = options
  const pace = cloudwatchMinuteSeconds === undefined ? [] : ['--cloudwatch-minute', String(cloudwatchMinuteSeconds)]
  const record = options.recordsCalls ? ['--record-calls', join(directory, 'calls.jsonl')] : []
  const logFile = join(directory, 'emulator.log')
  const log = openSync(logFile, 'w', 0o600)
  const program = spawn(
    PYTHON,
    [
      ...[PROGRAM, '--port', String(port), '--directory', directory, '--node-modules', join(ROOT, 'node_modules')],
      ...['--build-cache', buildCache],
      ...pace,
      ...record,
    ],
    // Its standard input is its tie to this process: when it is closed, the emulator ends.
    { cwd: directory, env: environment(waitScale), stdio: ['pipe', log, log], detached: true },
  )
  closeSync(log)
  const pid = program.pid
  const hasExited = new Promise<void>((done) => {
    program.once('exit', () => done())
    program.once('error', () => done())
  })
  if (pid === undefined)
    throw new Error(`${PYTHON} cannot be run. Delete ${dirname(dirname(PYTHON))} and run: node infra/local/setup.mjs`)

  const removeFiles = () => rmSync(join(directory, 'tmp'), { recursive: true, force: true, maxRetries: 5 })
  const release = endWithThisProcess(() => {
    signalProcess(-pid, 'SIGKILL')
    removeFiles()
  })
  const stop = async () => {
    release()
    signalProcess(-pid, 'SIGKILL') // it keeps nothing: a graceful end would only be slower
    await hasExited
    removeFiles()
  }
  const endpoint = `http://127.0.0.1:${port}`
  try {
    await untilHealthy(endpoint, hasExited, logFile)
  } catch (error) {
    await stop()
    throw error
  }
  return { endpoint, port, pid, logFile, stop }
}

/** No variable of the caller's AWS set-up may reach the functions: they would talk to real AWS, or to another instance. */
function environment(waitScale: number | undefined): NodeJS.ProcessEnv {
  const passedOn = ['HOME', 'USER', 'LANG', 'LC_ALL', 'TZ'].flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return {
    ...Object.fromEntries(passedOn),
    // Functions run with the first `node`: the project's pinned one, else the one that runs this.
    PATH: [join(ROOT, 'node_modules/.bin'), dirname(process.execPath), process.env.PATH].join(':'),
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    PYTHONUNBUFFERED: '1',
    ...(waitScale !== undefined && { SFN_WAIT_SCALE: String(waitScale) }),
  }
}

async function untilHealthy(endpoint: string, hasExited: Promise<void>, logFile: string): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MILLISECONDS
  let isRunning = true
  void hasExited.then(() => {
    isRunning = false
  })
  while (isRunning && Date.now() < deadline) {
    const answer = await fetch(`${endpoint}/_ministack/health`).catch(() => undefined)
    if (answer?.ok) return
    await sleep(25)
  }
  const what = isRunning ? `did not answer within ${START_LIMIT_MILLISECONDS / 1000} s` : 'ended while starting'
  throw new Error(`The emulator ${what}. The end of ${logFile}:\n${readFileSync(logFile, 'utf8').slice(-3000)}`)
}
