import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns'
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Emulator, startEmulator } from '../../../infra/local/emulator.ts'
import { DBT, installDbt, PYTHON, pythonEnvironment, runProcess } from '../../support/dbt.ts'
import { executionArn } from './transforming.ts'

const BUILD = 'sluice-test-transform:7'
const FAILED = {
  stage: 'test',
  build: BUILD,
  outcome: 'failed',
  nodes: 12,
  skipped: 3,
  error: null,
  failures: [
    { name: 'orders', kind: 'model', status: 'error', rows: null },
    { name: 'unique_orders_order_id', kind: 'test', status: 'fail', rows: 4 },
  ],
}

let directory: string
let emulator: Emulator
let topic: string
let queue: string
let sqs: SQSClient
beforeAll(async () => {
  await installDbt()
  directory = mkdtempSync(join(tmpdir(), 'sluice-notify-'))
  emulator = await startEmulator({ directory: join(directory, 'emulator') })
  const options = {
    endpoint: emulator.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  }
  const sns = new SNSClient(options)
  sqs = new SQSClient(options)
  topic = (await sns.send(new CreateTopicCommand({ Name: 'notices' }))).TopicArn ?? ''
  queue = (await sqs.send(new CreateQueueCommand({ QueueName: 'notices' }))).QueueUrl ?? ''
  const Endpoint = 'arn:aws:sqs:us-east-1:000000000000:notices'
  await sns.send(new SubscribeCommand({ TopicArn: topic, Protocol: 'sqs', Endpoint }))
})
afterAll(async () => {
  await emulator?.stop()
  rmSync(directory, { recursive: true, force: true })
})

async function notify(summary: object | undefined, env: Readonly<Record<string, string>> = {}) {
  const target = mkdtempSync(join(directory, 'target-'))
  if (summary !== undefined) writeFileSync(join(target, 'transform.json'), JSON.stringify(summary))
  const run = await runProcess(PYTHON, [join(DBT, 'notify.py')], {
    env: {
      ...pythonEnvironment,
      AWS_ENDPOINT_URL: emulator.endpoint,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      SLUICE_STAGE: 'test',
      CODEBUILD_BUILD_ID: BUILD,
      NOTICE_TOPIC_ARN: topic,
      TRANSFORM_EXECUTION_ARN: executionArn('transform-1'),
      DBT_TARGET_PATH: target,
      ...env,
    },
  })
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: queue, MaxNumberOfMessages: 10 }))
  const notices = Messages.map(({ Body = '' }): { Subject: string; Message: string } => JSON.parse(Body))
  return { ...run, notices }
}

test('one notice says what failed, what was skipped, and how to go on', async () => {
  const { status, notices } = await notify(FAILED)
  expect(status).toBe(0)
  expect(notices.map(({ Subject }) => Subject)).toEqual(['Sluice test: transform failed at orders'])
  expect(notices[0]?.Message.split('\n')).toEqual([
    'Failed:',
    '  model orders: error',
    '  test unique_orders_order_id: fail, rows found: 4',
    'Skipped because of them: 3. Built or passed: 12.',
    '',
    `Execution: ${executionArn('transform-1')}`,
    `Build: ${BUILD}`,
    '',
    'What was there before is still there. Mend the cause, then run it again:',
    '  npm run -s sluice -- redrive transform-1 --stage test',
    'or Redrive in the console of Step Functions. Left alone, the next transform tries again, an interval from now.',
  ])
})

test.each([
  ['nothing', undefined],
  ['what another build left', { ...FAILED, build: 'sluice-test-transform:6' }],
])('a transform that left %s was killed or could not begin', async (_what, summary) => {
  const { notices } = await notify(summary)
  expect(notices).toMatchObject([
    { Subject: 'Sluice test: transform failed at its start', Message: expect.stringContaining('left no results') },
  ])
})

test('a subject of a long name, and not of ASCII alone, is one that SNS takes', async () => {
  const name = `größen_${'lang_'.repeat(30)}`
  const { notices } = await notify({ ...FAILED, failures: [{ ...FAILED.failures[0], name }] })
  expect(notices[0]?.Subject).toMatch(/^Sluice test: transform failed at gr\?\?en_[ -~]+$/)
  expect(notices[0]?.Subject).toHaveLength(100)
})

test('a notice that cannot be sent stands in the log instead', async () => {
  const { status, stdout } = await notify(FAILED, { AWS_ENDPOINT_URL: 'http://127.0.0.1:9', AWS_MAX_ATTEMPTS: '1' })
  expect(status).toBe(1)
  expect(stdout).toContain('could not be sent')
  expect(stdout).toContain('  model orders: error')
})
