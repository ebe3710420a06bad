// A laptop cloud keeps to itself while it runs, and leaves nothing running however its owner ends.

import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, rmSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { CreateBucketCommand, ListBucketsCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { Client } from 'pg'
import { afterAll, afterEach, expect, test } from 'vitest'
import { type Cloud, startCloud } from '../../infra/local/cloud.ts'
import { commandLine } from '../../infra/local/processes.ts'
import { clientOf, processesIn } from './fixture-cloud.ts'

// Not shared with another run of the tests in this checkout.
const NAME = `test-cloud-${process.pid}`
const BESIDE = `test-beside-${process.pid}`
const STATE = resolve(import.meta.dirname, '../../.sluice')
const DIRECTORY = join(STATE, NAME)

const clouds: Cloud[] = []
const owners: ChildProcess[] = []
afterEach(async () => {
  for (const owner of owners.splice(0)) await endOwner(owner, 'SIGTERM')
  for (const cloud of clouds.splice(0)) await cloud.stop()
})
afterAll(() => {
  for (const name of [NAME, BESIDE]) rmSync(join(STATE, name), { recursive: true, force: true })
})

test('two clouds run side by side and share nothing', async () => {
  const [left, right] = await Promise.all([start(), start(BESIDE)])

  await new S3Client(clientOf(left)).send(new CreateBucketCommand({ Bucket: 'only-left' }))
  await query(left, 'CREATE TABLE only_left ()')

  const { Buckets = [] } = await new S3Client(clientOf(right)).send(new ListBucketsCommand())
  expect(Buckets).toEqual([])
  expect(await query(right, "SELECT to_regclass('only_left') AS found")).toEqual([{ found: null }])
  expect(await query(left, "SELECT to_regclass('only_left') AS found")).toEqual([{ found: 'only_left' }])
})

test('its directory tells how to reach it, and only its owner can read that', async () => {
  const { directory, endpoint, database } = await start()

  const note = JSON.parse(readFileSync(join(directory, 'instance.json'), 'utf8'))
  expect(note).toMatchObject({ owner: { pid: process.pid }, endpoint, database })
  expect(statSync(join(directory, 'instance.json')).mode & 0o077).toBe(0)
  expect(readFileSync(join(directory, 'env'), 'utf8').split('\n')).toEqual([
    `AWS_ENDPOINT_URL=${endpoint}`,
    'AWS_ACCESS_KEY_ID=test',
    'AWS_SECRET_ACCESS_KEY=test',
    'AWS_REGION=us-east-1',
    '',
  ])
})

test('a database that is restarted cuts connections, keeps what was committed, and is the one that is ended', async () => {
  const cloud = await start()
  await query(cloud, 'CREATE TABLE kept ()')
  const connected = new Client({ ...cloud.database, database: cloud.database.name })
  await connected.connect()
  const cut = new Promise<void>((done) => connected.on('error', () => done()))

  const restart = cloud.restartDatabase(500)
  await cut
  await expect(query(cloud, 'SELECT 1')).rejects.toThrow()
  await restart
  expect(await query(cloud, "SELECT to_regclass('kept') AS found")).toEqual([{ found: 'kept' }])

  const { started } = JSON.parse(readFileSync(join(cloud.directory, 'instance.json'), 'utf8'))
  expect(commandLine(started.postgres.pid)).toContain(started.postgres.marker)
  await cloud.stop()
  expect(commandLine(started.postgres.pid)).toBeUndefined()
})

test('the database needs the password of this instance', async () => {
  const { database } = await start()

  const guess = new Client({ ...database, database: database.name, password: 'postgres' })

  await expect(guess.connect()).rejects.toThrow('password authentication failed')
})

test('a second cloud of the same name is refused while the first lives, and says what to do', async () => {
  const owner = await startOwner()

  await expect(startCloud({ name: NAME })).rejects.toThrow(
    new RegExp(`'${NAME}' is already running: process ${owner.pid} .*kill ${owner.pid}`),
  )
})

test('what a killed owner left running is ended at the next start', async () => {
  const owner = await startOwner()
  const before = processesIn(DIRECTORY)
  await endOwner(owner, 'SIGKILL')

  const cloud = await start()
  await new S3Client(clientOf(cloud)).send(new CreateBucketCommand({ Bucket: 'works' }))
  const { Buckets = [] } = await new S3Client(clientOf(cloud)).send(new ListBucketsCommand())

  expect(before.length).toBeGreaterThan(1)
  expect(Buckets.map(({ Name }) => Name)).toEqual(['works'])
  expect(processesIn(cloud.directory).filter((line) => before.includes(line))).toEqual([])
})

test('the emulator ends by itself when its owner is killed', async () => {
  const owner = await startOwner()
  await endOwner(owner, 'SIGKILL')

  await expect
    .poll(() => processesIn(DIRECTORY).filter((line) => line.includes('emulator')), { timeout: 5_000 })
    .toEqual([])
  await (await start()).stop()
})

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('nothing is left running after %s', async (signal) => {
  const owner = await startOwner()
  await endOwner(owner, signal)

  await expect.poll(() => processesIn(DIRECTORY), { timeout: 2_000 }).toEqual([])
})

test('nothing is left running after an uncaught error', async () => {
  const owner = await startOwner('throw')
  await endOwner(owner)

  await expect.poll(() => processesIn(DIRECTORY), { timeout: 2_000 }).toEqual([])
})

test('a burst of requests at once is answered', async () => {
  const s3 = new S3Client({ ...clientOf(await start()), maxAttempts: 1 })
  await s3.send(new CreateBucketCommand({ Bucket: 'burst' }))

  const puts = Array.from({ length: 300 }, (_, i) => new PutObjectCommand({ Bucket: 'burst', Key: `${i}`, Body: '{}' }))

  expect(await Promise.all(puts.map((put) => s3.send(put)))).toHaveLength(300)
})

async function start(name = NAME): Promise<Cloud> {
  const cloud = await startCloud({ name })
  clouds.push(cloud)
  return cloud
}

async function query({ database }: Cloud, sql: string) {
  const client = new Client({ connectionString: database.url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

/** Starts fixture/owner.ts and waits until it owns its cloud. */
async function startOwner(...args: string[]): Promise<ChildProcess> {
  const script = join(import.meta.dirname, 'fixture/owner.ts')
  const owner = spawn(process.execPath, [script, NAME, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  owners.push(owner)
  let errors = ''
  owner.stderr.on('data', (chunk) => {
    errors += chunk
  })
  await new Promise<void>((ready, fail) => {
    owner.stdout.once('data', () => ready())
    owner.once('exit', () => fail(new Error(`The owner ended: ${errors}`)))
  })
  return owner
}

async function endOwner(owner: ChildProcess, signal?: NodeJS.Signals): Promise<void> {
  if (owner.exitCode !== null || owner.signalCode !== null) return
  const exited = new Promise((done) => owner.once('exit', done))
  if (signal) owner.kill(signal)
  await exited
}
