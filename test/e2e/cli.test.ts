import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { ListTopicsCommand, PublishCommand, SubscribeCommand } from '@aws-sdk/client-sns'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { ledgerAnswers } from '../../handlers/read-ledger/contract.ts'
import { connectTo, type Deployment } from '../../infra/local/demo/deployment.ts'
import { describeNotice, openInbox } from '../../infra/local/demo/inbox.ts'
import { orderText } from '../support/orders.ts'

const PROGRAM = join(import.meta.dirname, '../../workflows/cli/sluice.ts')

let pipeline: Deployment
let folder: string
beforeAll(() => {
  pipeline = connectTo(inject('cloud'), inject('stackOutputs'))
  folder = mkdtempSync(join(tmpdir(), 'sluice-cli-'))
})
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await pipeline.database.$client.end()
})

/** Starts the command line as a person does who has set the variables of this cloud. */
function start(args: readonly string[]): ChildProcess {
  const { endpoint } = inject('cloud')
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_'))
  const aws = { AWS_ENDPOINT_URL: endpoint, AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'test' }
  const env = { ...Object.fromEntries(own), ...aws, AWS_SECRET_ACCESS_KEY: 'test', AWS_CONFIG_FILE: '/dev/null' }
  return spawn(process.execPath, [PROGRAM, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
}

async function end(child: ChildProcess) {
  const output = { stdout: '', stderr: '' }
  child.stdout?.on('data', (chunk) => {
    output.stdout += chunk
  })
  child.stderr?.on('data', (chunk) => {
    output.stderr += chunk
  })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, ...output }
}

const sluice = (...args: string[]) => end(start(args))

/** Makes a folder of files; returns its path. */
function makeFolder(name: string, files: Record<string, string>): string {
  const path = join(folder, name)
  mkdirSync(join(path, 'within'), { recursive: true })
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text)
  return path
}

/** What `explain` says, once the key is in one of these states. */
const explained = (key: string, ...states: string[]) =>
  vi.waitFor(
    async () => {
      const { stdout } = await sluice('explain', key, '--json')
      const answer = ledgerAnswers.explain.parse(JSON.parse(stdout))
      expect(answer.versions.map(({ state }) => state)).toEqual(states)
      return answer
    },
    { timeout: 45_000, interval: 500 },
  )

test('a folder is loaded, each file is told of, and what was refused is listed', { timeout: 120_000 }, async () => {
  const path = makeFolder('orders', {
    'good.json': orderText(),
    'within/bad one.json': '{"order_id": 7}',
    'readme.txt': 'no',
  })

  const loading = await sluice('load', path, '--source', 'orders')
  expect(loading).toMatchObject({ code: 0, stderr: expect.stringContaining('2 of 2 files') })
  expect(loading.stdout).toContain(`2 of 2 files put to s3://${pipeline.bucket}/input/orders/`)
  expect(loading.stdout).toContain('1 file passed over')

  await explained('input/orders/good.json', 'loaded')
  const bad = await explained('input/orders/within/bad one.json', 'quarantined')
  const copy = bad.versions[0]?.quarantineKey ?? ''
  expect(await explained(`s3://${pipeline.bucket}/${copy}`, 'quarantined')).toEqual(bad)

  const text = await vi.waitFor(
    async () => {
      const { code, stdout } = await sluice('explain', copy)
      expect(stdout).toMatch(/execution {2}batch-\S+ SUCCEEDED/)
      expect(code).toBe(0)
      return stdout
    },
    { timeout: 20_000, interval: 500 },
  )
  expect(text).toContain('QUARANTINED')
  expect(text).toContain('$.order_id: expected string, found number 7')
  expect(text.split('\n').length).toBeLessThan(24)

  const listed = await sluice('quarantine', '--source', 'orders', '--reason', 'contract', '--since', '5m')
  expect(listed.stdout).toContain('input/orders/within/bad one.json')
  const counted = await sluice('quarantine', '--limit', '1', '--json')
  expect(ledgerAnswers.quarantine.parse(JSON.parse(counted.stdout)).files).toHaveLength(1)

  const batches = await sluice('batches', '--json')
  expect(JSON.parse(batches.stdout)).toContainEqual(expect.objectContaining({ id: bad.versions[0]?.batch?.id }))
  expect((await sluice('batches', '--limit', '1')).stdout.trim().split('\n')).toHaveLength(2)
  expect((await sluice('executions')).stdout).toContain('SUCCEEDED')
})

test('the status accounts for every version and exits by whether something needs attention', async () => {
  const asJson = await sluice('status', '--json')
  const facts = JSON.parse(asJson.stdout)
  expect(ledgerAnswers.status.parse(facts).sources.map(({ source }) => source)).toContain('orders')
  expect(facts.queues).toEqual({
    waiting: expect.any(Number),
    inFlight: expect.any(Number),
    deadLetters: expect.any(Number),
  })

  const asText = await sluice('status', '--since', '1h')
  expect(asText.stdout).toContain('Stage local at')
  const needsAttention = asText.stdout.includes('Needs attention:')
  expect(asText.code).toBe(needsAttention ? 3 : 0)
  expect(asText.stdout.includes('Nothing needs attention.')).toBe(!needsAttention)
})

test('the status says who is told, and who has not confirmed it', async () => {
  const { Topics = [] } = await pipeline.sns.send(new ListTopicsCommand())
  const TopicArn = Topics.map((topic) => topic.TopicArn ?? '').find((arn) => arn.endsWith('sluice-local-pages'))
  await pipeline.sns.send(new SubscribeCommand({ TopicArn, Protocol: 'email', Endpoint: 'ada@example.com' }))
  const unconfirmed = await sluice('status')
  const inbox = await openInbox(pipeline, 'cli')

  expect(unconfirmed.stdout).toContain('ada@example.com has not confirmed sluice-local-pages')
  expect(unconfirmed.code).toBe(3)
  // Nothing keeps the alarms' messages from whoever listens.
  await pipeline.sns.send(new PublishCommand({ TopicArn, Subject: 'hello', Message: 'there' }))
  await vi.waitFor(async () => expect((await inbox()).map(describeNotice)).toContain('hello'), { timeout: 10_000 })
  expect((await sluice('status')).stdout).toMatch(/told +pages \d, unconfirmed: ada@example.com; notices \d/)
})

describe('an object that the ledger does not know', () => {
  test('because it is noise is told to be filtered', async () => {
    const Key = 'input/orders/cli/noise.JSON'
    await pipeline.s3.send(new PutObjectCommand({ Bucket: pipeline.bucket, Key, Body: '{}' }))
    const { code, stdout } = await sluice('explain', Key)
    expect(code).toBe(0)
    expect(stdout).toMatch(/The bucket holds it, put .*end in\s+\.json, in lower case/s)
  })

  test('because there is none is told to be absent', async () => {
    expect((await sluice('explain', 'input/orders/no-such.json')).stdout).toContain('check the spelling')
  })
})

describe('a load', () => {
  test('goes on past a file that cannot be read, says which, and fails', async () => {
    const path = makeFolder('broken', { '1.json': orderText() })
    symlinkSync('/nowhere', join(path, '0.json'))

    const { code, stdout } = await sluice('load', path, '--source', 'orders', '--json')

    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ found: 2, put: 1, failures: [{ path: '0.json', why: 'ENOENT' }] })
    await explained('input/orders/1.json', 'loaded')
  })

  test('that is interrupted stops, and says how far it came', { timeout: 120_000 }, async () => {
    const files = Array.from({ length: 500 }, (_, number) => [`${number}.json`, orderText()])
    const path = makeFolder('many', Object.fromEntries(files))
    const child = start(['load', path, '--source', 'orders', '--json'])
    const ended = end(child)
    // The first line says that puts begin.
    await new Promise((resolve) => child.stderr?.once('data', resolve))
    child.kill('SIGINT')

    const { code, stdout } = await ended
    const { put, found, isInterrupted, failures } = JSON.parse(stdout)
    expect({ code, found, isInterrupted, failures }).toEqual({
      code: 130,
      found: 500,
      isInterrupted: true,
      failures: [],
    })
    expect(put).toBeGreaterThan(0)
    expect(put).toBeLessThan(500)
    // The other tests of this cloud find it at rest.
    await vi.waitFor(
      async () => {
        const { queues } = JSON.parse((await sluice('status', '--json')).stdout)
        expect(queues).toMatchObject({ waiting: 0, inFlight: 0 })
      },
      { timeout: 60_000, interval: 500 },
    )
  })
})

describe.concurrent('wrong use', () => {
  test.each([
    [['load', '.', '--source', 'order'], "no source 'order' at stage local; there are: "],
    [['load', '.'], '--source <name>'],
    [['statu'], 'Did you mean status?'],
    [['status', '--since', 'yesterday'], 'Give a time in UTC'],
    [['quarantine', '--reason', 'ugly'], 'Allowed choices are'],
    [['explain', 's3://bucket'], 'Give a key'],
  ])('%j exits with 2 and says what is right', async (args, message) => {
    expect(await sluice(...args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(message) })
  })

  test.each([
    ['status'],
    ['explain', 'x'],
    ['quarantine'],
    ['batches'],
    ['executions'],
    ['load', '.', '--source', 'x'],
  ])('of a stage that is not there is told alike by %s', async (...args) => {
    expect(await sluice(...args, '--stage', 'elsewhere')).toMatchObject({
      code: 1,
      stderr: "error: no Sluice stage 'elsewhere' in this account and region: check --stage, AWS_PROFILE, AWS_REGION\n",
    })
  })

  test('is not to ask for nothing: the help is shown, with exit codes and examples', async () => {
    const { code, stdout } = await sluice()
    expect(code).toBe(0)
    expect(stdout).toMatch(/Commands:.*Exit codes:.*Examples:/s)
  })
})
