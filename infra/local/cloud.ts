// The laptop cloud: an emulator of AWS and a PostgreSQL, started together, described in .sluice/<name>/, ended together.

import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type EmulatorPace, type EmulatorWatch, startEmulator } from './emulator.ts'
import { endWithThisProcess } from './ending.ts'
import { claimInstance, releaseInstance, type Started, updateInstance } from './instance.ts'
import { type Postgres, startPostgres } from './postgres.ts'

export interface Cloud {
  readonly name: string
  /** Of every AWS service. */
  readonly endpoint: string
  /** What an AWS client or the cdk CLI needs in its environment to talk to this cloud and to no other. */
  readonly environment: Readonly<Record<string, string>>
  readonly database: Database
  /** Where its state and logs lie: .sluice/<name>. */
  readonly directory: string
  /** Takes the database away for so many milliseconds: connections are cut, what was committed stays. */
  readonly restartDatabase: (downMilliseconds: number) => Promise<void>
  readonly stop: () => Promise<void>
}

interface Database {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  /** Of the database inside the server. */
  readonly name: string
  readonly url: string
}

const STATE = resolve(import.meta.dirname, '../../.sluice')
/** Folders in .sluice that are not clouds. */
const RESERVED_NAMES = ['codebuild-cache', 'venv']

/**
 * Starts a cloud with its own ports and state. Clouds with other names, or of other checkouts, may run beside it.
 * It ends with `stop()` or with this process.
 * @throws when a cloud of this name runs already
 */
export async function startCloud({
  name,
  ...emulatorOptions
}: { name: string } & EmulatorPace & EmulatorWatch): Promise<Cloud> {
  if (!/^[a-z][a-z0-9-]*$/.test(name) || RESERVED_NAMES.includes(name)) {
    throw new Error(
      `'${name}' cannot name a cloud. Use lower-case letters, digits and '-', not ${RESERVED_NAMES.join(', ')}.`,
    )
  }
  const directory = join(STATE, name)
  await claimInstance(directory, name)
  const release = endWithThisProcess(() => releaseInstance(directory))
  const running: { stop: () => Promise<void> }[] = []
  const stop = async () => {
    await Promise.all(running.splice(0).map((server) => server.stop()))
    release()
    releaseInstance(directory)
  }

  const note = (what: string, started: Started) =>
    updateInstance(directory, (known) => ({ ...known, started: { ...known.started, [what]: started } }))
  const notePostgres = ({ pid, data }: Postgres) => note('postgres', { pid, marker: data, isGroup: false })
  const starts = await Promise.allSettled([
    startPostgres({ directory }).then((postgres) => {
      running.push(postgres)
      notePostgres(postgres)
      return postgres
    }),
    startEmulator({ directory, ...emulatorOptions }).then((emulator) => {
      running.push(emulator)
      note('emulator', { pid: emulator.pid, marker: `--directory ${directory} `, isGroup: true })
      return emulator
    }),
  ])
  const [postgres, emulator] = starts
  if (postgres.status === 'rejected' || emulator.status === 'rejected') {
    await stop()
    throw postgres.status === 'rejected' ? postgres.reason : (emulator as PromiseRejectedResult).reason
  }

  const { host, port, user, password, url } = postgres.value
  const database = { host, port, user, password, name: 'postgres', url }
  const { endpoint } = emulator.value
  updateInstance(directory, (known) => ({ ...known, endpoint, database }))
  writeFileSync(join(directory, 'env'), dotenv(clientVariables(endpoint)), { mode: 0o600 })
  const restartDatabase = async (downMilliseconds: number) => {
    await postgres.value.restart(downMilliseconds)
    notePostgres(postgres.value)
  }
  return { name, endpoint, environment: environment(endpoint), database, directory, restartDatabase, stop }
}

function clientVariables(endpoint: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: 'us-east-1',
  }
}

function environment(endpoint: string): Record<string, string> {
  return {
    ...clientVariables(endpoint),
    // Nothing of the developer's own AWS set-up may lead a client to real AWS.
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    CDK_DISABLE_CLI_TELEMETRY: 'true',
  }
}

function dotenv(variables: Record<string, string>): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}
