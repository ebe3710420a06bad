// An emulator with one function, behave.js, and what tests of state machines need to run them and to look at them.

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CreateFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda'
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  type DescribeExecutionOutput,
  type HistoryEvent,
  paginateGetExecutionHistory,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn'
import { type Emulator, type EmulatorPace, startEmulator } from '../../infra/local/emulator.ts'

const STATE = resolve(import.meta.dirname, '../../.sluice')
const PYTHON = join(STATE, 'venv/bin/python')
const ROLE = 'arn:aws:iam::000000000000:role/any'
const FUNCTION_SECONDS = 1

export type States = Record<string, object>

export class StateMachines {
  readonly client: ReturnType<typeof clientOf>
  readonly states: SFNClient
  readonly directory: string
  readonly #emulator: Emulator
  #machines = 0

  static async start(purpose: string, options: { buildCache?: string } & EmulatorPace = {}): Promise<StateMachines> {
    const directory = join(STATE, `test-${purpose}-${process.pid}`)
    const machines = new StateMachines(await startEmulator({ directory, ...options }), directory)
    await machines.#createFunction()
    return machines
  }

  private constructor(emulator: Emulator, directory: string) {
    this.#emulator = emulator
    this.directory = directory
    this.client = clientOf(emulator)
    this.states = new SFNClient(this.client)
  }

  async stop(): Promise<void> {
    await this.#emulator.stop()
    rmSync(this.directory, { recursive: true, force: true })
  }

  async #createFunction(): Promise<void> {
    const zip = join(this.directory, 'behave.zip')
    execFileSync(PYTHON, ['-m', 'zipfile', '-c', zip, join(import.meta.dirname, 'fixture/functions/behave.js')])
    await new LambdaClient(this.client).send(
      new CreateFunctionCommand({
        FunctionName: 'behave',
        Runtime: 'nodejs24.x',
        Handler: 'behave.handler',
        Role: ROLE,
        Timeout: FUNCTION_SECONDS,
        Code: { ZipFile: readFileSync(zip) },
      }),
    )
  }

  /** A Task that calls behave.js. What it logs is in `callsOf` the same execution. */
  task(payload: object, fields: object = { End: true }): object {
    return {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke',
      Arguments: { FunctionName: 'behave', Payload: { calls: this.#callsFile, ...payload } },
      Output: '{% $states.result.Payload %}',
      ...fields,
    }
  }

  get #callsFile(): string {
    return join(this.directory, 'calls')
  }

  /** Names of the Tasks that called behave.js since the last look. */
  calls(): string[] {
    if (!existsSync(this.#callsFile)) return []
    const names = readFileSync(this.#callsFile, 'utf8').trim().split('\n')
    rmSync(this.#callsFile)
    return names
  }

  /** A file that does not exist yet: behave.js fails `until` it does. */
  signal(): { path: string; give: () => void } {
    const path = join(this.directory, `signal-${this.#machines++}`)
    return { path, give: () => writeFileSync(path, '') }
  }

  async create(StartAt: string, States: States, fields: object = {}): Promise<string> {
    const { stateMachineArn } = await this.states.send(
      new CreateStateMachineCommand({
        name: `machine-${this.#machines++}`,
        roleArn: ROLE,
        definition: JSON.stringify({ QueryLanguage: 'JSONata', StartAt, States, ...fields }),
      }),
    )
    return stateMachineArn ?? ''
  }

  async start(stateMachineArn: string, input: unknown = {}, name?: string): Promise<string> {
    const { executionArn } = await this.states.send(
      new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input), name }),
    )
    return executionArn ?? ''
  }

  /** Creates the machine, runs it once and waits for its end. */
  async run(StartAt: string, States: States, input: unknown = {}, fields: object = {}): Promise<Ended> {
    return this.ended(await this.start(await this.create(StartAt, States, fields), input))
  }

  async ended(executionArn: string): Promise<Ended> {
    const deadline = Date.now() + 20_000
    while (true) {
      const description = await this.describe(executionArn)
      const { status, error, output } = description
      if (status !== 'RUNNING')
        return {
          executionArn,
          status,
          error,
          output: output === undefined ? undefined : JSON.parse(output),
          description,
        }
      if (Date.now() > deadline) throw new Error(`${executionArn} still runs after 20 s`)
      await sleep(20)
    }
  }

  describe(executionArn: string): Promise<DescribeExecutionOutput> {
    return this.states.send(new DescribeExecutionCommand({ executionArn }))
  }

  async history(executionArn: string): Promise<HistoryEvent[]> {
    const events: HistoryEvent[] = []
    const pages = paginateGetExecutionHistory({ client: this.states }, { executionArn, maxResults: 1000 })
    for await (const page of pages) events.push(...(page.events ?? []))
    return events
  }
}

interface Ended extends Pick<DescribeExecutionOutput, 'status' | 'error'> {
  readonly executionArn: string
  // biome-ignore lint/suspicious/noExplicitAny: whatever the machine under test puts out
  readonly output: any
  readonly description: DescribeExecutionOutput
}

function clientOf({ endpoint }: Emulator) {
  return { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } }
}
