// Deploys the real template to a laptop cloud with the real cdk CLI, as one would to AWS.

import { spawn } from 'node:child_process'
import { createWriteStream, existsSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Cloud } from './cloud.ts'
import { endWithThisProcess } from './ending.ts'
import { signalProcess } from './processes.ts'

export interface DeployOptions {
  /** Context of the CDK app beside stage=local. */
  readonly context?: Readonly<Record<string, string>>
  /** Parameters of the CloudFormation template. */
  readonly parameters?: Readonly<Record<string, string>>
  /** Called with each line that the CLI prints. */
  readonly onLine?: (line: string) => void
  /** The command that synthesizes; by default the one in cdk.json. */
  readonly app?: string
}

const ROOT = resolve(import.meta.dirname, '../..')
const CDK = join(ROOT, 'node_modules/aws-cdk/bin/cdk')
/** The account that the emulator answers for, and the region of the cloud's environment. */
const ENVIRONMENT = 'aws://000000000000/us-east-1'
/** Enough to hold CloudFormation's reason, which may be the end of a build's log, or the CLI's own stack trace. */
const SHOWN_LINES = 40

/**
 * Bootstraps the cloud and deploys all stacks of the app.
 * @returns the outputs of all its stacks in one record
 * @throws with what the CLI says of it when a step fails
 */
export async function deployStack(cloud: Cloud, options: DeployOptions = {}): Promise<Record<string, string>> {
  const assembly = join(cloud.directory, 'cdk.out')
  const outputsFile = join(cloud.directory, 'outputs.json')
  rmSync(outputsFile, { force: true })
  const cdk = new Cli(cloud, options.onLine)

  const context = Object.entries({ stage: 'local', ...options.context }).flatMap(([key, value]) => [
    '-c',
    `${key}=${value}`,
  ])
  const synth = ['synth', '--quiet', '--output', assembly, ...context, ...(options.app ? ['--app', options.app] : [])]
  // The two need nothing of each other, and each takes seconds. Bootstrap runs where no cdk.json tempts it to synthesize.
  await allOrFirstError([cdk.run(synth, ROOT), cdk.run(['bootstrap', ENVIRONMENT], cloud.directory)])

  // Whoever may list this machine's processes sees these values while the CLI runs. That is good enough for the password
  // of a database that listens on this machine only and is thrown away; do not copy it for one that is worth something.
  const parameters = Object.entries(options.parameters ?? {}).flatMap(([key, value]) => [
    '--parameters',
    `${key}=${value}`,
  ])
  const deploy = ['deploy', '--all', '--app', assembly, '--require-approval', 'never', '--outputs-file', outputsFile]
  await cdk.run([...deploy, ...parameters], cloud.directory)

  if (!existsSync(outputsFile)) return {}
  const byStack: Record<string, Record<string, string>> = JSON.parse(readFileSync(outputsFile, 'utf8'))
  return Object.assign({}, ...Object.values(byStack))
}

class Cli {
  readonly #cloud: Cloud
  readonly #onLine: (line: string) => void

  constructor(cloud: Cloud, onLine: (line: string) => void = () => {}) {
    this.#cloud = cloud
    this.#onLine = onLine
  }

  async run(args: readonly string[], cwd: string): Promise<void> {
    const command = args[0]
    const logFile = join(this.#cloud.directory, `cdk-${command}.log`)
    const log = createWriteStream(logFile, { mode: 0o600 })
    const lines: string[] = []
    const cli = spawn(process.execPath, [CDK, ...args, '--ci', '--no-notices', '--no-color'], {
      cwd,
      env: this.#environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // leads a group, so that the app it runs ends with it
    })
    const release = endWithThisProcess(() => cli.pid && signalProcess(-cli.pid, 'SIGKILL'))
    const outputs = [cli.stdout, cli.stderr].map(async (stream) => {
      for await (const line of createInterface({ input: stream })) {
        lines.push(line)
        log.write(`${line}\n`)
        this.#onLine(line)
      }
    })
    const exitCode = await new Promise<number | null>((done, fail) => cli.once('exit', done).once('error', fail))
    await Promise.all(outputs)
    release()
    log.end()
    if (exitCode !== 0) {
      throw new Error(`cdk ${command} failed with exit code ${exitCode}. From ${logFile}:\n${whatFailed(lines)}`)
    }
  }

  #environment(): NodeJS.ProcessEnv {
    // A profile, region or endpoint of the developer must not compete with the cloud's.
    const own = Object.entries(process.env).filter(([name]) => !/^(AWS|CDK)_/.test(name))
    return {
      ...Object.fromEntries(own),
      ...this.#cloud.environment,
      // cdk.json starts the app with `node`: the project's pinned one, else the one that runs this.
      PATH: [join(ROOT, 'node_modules/.bin'), dirname(process.execPath), process.env.PATH].join(':'),
    }
  }
}

/** The reasons of CloudFormation, when there are any: below them stand logs of functions, longer than they are. Else the end. */
function whatFailed(lines: readonly string[]): string {
  const reasons = lines.lastIndexOf('Failed resources:')
  const shown = reasons < 0 ? lines.slice(-SHOWN_LINES) : lines.slice(reasons, reasons + SHOWN_LINES)
  return shown.join('\n')
}

/** As Promise.all, but only after all have ended: a step that still runs would write into a log nobody waits for. */
async function allOrFirstError(steps: Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(steps)
  for (const result of results) if (result.status === 'rejected') throw result.reason
}
