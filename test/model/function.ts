/** A function's process: what it remembers between two invocations, until it dies and another takes its place. */
import pLimit from 'p-limit'
import type { DatabaseCredentials } from '../../db/client.ts'
import { databaseFromSecret, type WithDatabase } from '../../handlers/database.ts'
import { Attempts } from '../../handlers/ingest/attempts.ts'
import type { IngestDependencies } from '../../handlers/ingest/ingest-slice.ts'
import type { Cloud } from './cloud.ts'
import { type Life, lives } from './life.ts'
import { Wire } from './wire.ts'

/** What any of the functions needs. */
type Dependencies = IngestDependencies & ReturnType<Cloud['clients']>

interface Process {
  readonly wire: Wire
  readonly dependencies: Dependencies
  /** Versions whose attempt may have ended without its being noted, so that a death leaves it open. */
  readonly unended: string[]
}

export class LambdaFunction implements AsyncDisposable {
  readonly #cloud: Cloud
  readonly #secretArn: string
  readonly #rotate: (password: string) => Promise<void>
  #credentials: DatabaseCredentials
  #rotations = 0
  #process: Process | undefined

  /** @param rotate changes the password of its role, and ends the connections that were made with the old one */
  constructor(cloud: Cloud, credentials: DatabaseCredentials, rotate: (password: string) => Promise<void>) {
    this.#cloud = cloud
    this.#credentials = credentials
    this.#secretArn = `arn:aws:secretsmanager:${credentials.username}`
    this.#rotate = rotate
  }

  /** @returns what the work returns, or that the process died of it */
  async invoke<Result>(
    life: Life,
    work: (dependencies: Dependencies) => Promise<Result>,
  ): Promise<{ readonly answer: Result } | { readonly died: readonly string[] }> {
    if (life.isColdStart) await this.restart()
    const process = await this.#start()
    process.wire.life = life
    const readsBehind = life.meetRotation()
    if (readsBehind !== undefined) await this.#rotatePassword(process, readsBehind)
    try {
      const answer = lives.run(life, () => work(process.dependencies))
      const outcome = await Promise.race([answer, life.death.promise, life.stuck.promise])
      if (outcome !== 'died') return { answer: outcome }
    } finally {
      process.wire.life = undefined
    }
    await this[Symbol.asyncDispose]()
    return { died: process.unended }
  }

  /** An attempt may have ended without its being noted. */
  noteUnended(versionIds: readonly string[]): void {
    this.#process?.unended.push(...versionIds)
  }

  /** Has it note the attempts that ended, as it does when it is next given a message that came before. */
  async catchUp(): Promise<void> {
    await this.#process?.dependencies.attempts.catchUp(new AbortController().signal)
  }

  /** Lambda ends a process that is idle, and starts another for the next invocation. */
  async restart(): Promise<void> {
    await this.catchUp()
    await this[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const process = this.#process
    this.#process = undefined
    await process?.wire[Symbol.asyncDispose]()
  }

  async #start(): Promise<Process> {
    if (this.#process !== undefined) return this.#process
    const wire = await Wire.open(this.#credentials)
    this.#cloud.putSecret(this.#secretArn, { ...this.#credentials, port: wire.port })
    const clients = this.#cloud.clients()
    const environment = { DATABASE_SECRET_ARN: this.#secretArn, DATABASE_SSL: 'disable' as const }
    const withDatabase: WithDatabase = databaseFromSecret(clients.secrets, environment, this.#credentials.username)
    const dependencies: Dependencies = {
      ...clients,
      reader: { s3: clients.s3, limit: pLimit(16) },
      withDatabase,
      attempts: new Attempts(withDatabase),
      stateMachineArn: 'arn:aws:states:us-east-1:000000000000:stateMachine:pipeline',
      transformIntervalMinutes: 60,
    }
    this.#process = { wire, dependencies, unended: [] }
    return this.#process
  }

  async #rotatePassword({ wire }: Process, readsBehind: number): Promise<void> {
    const password = `password-${++this.#rotations}`
    await this.#rotate(password)
    this.#credentials = { ...this.#credentials, password }
    this.#cloud.putSecret(this.#secretArn, { ...this.#credentials, port: wire.port }, readsBehind)
  }
}
