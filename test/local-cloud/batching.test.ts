// Event source mappings of the laptop cloud gather messages as those of AWS do. The fixture's has batches of 100 and a window of 3 s.

import { setTimeout as sleep } from 'node:timers/promises'
import { LambdaClient, ListEventSourceMappingsCommand, UpdateEventSourceMappingCommand } from '@aws-sdk/client-lambda'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Cloud } from '../../infra/local/cloud.ts'
import { clientOf, processesIn, reports, sizesOf, startFixtureCloud, stopFixtureCloud, total } from './fixture-cloud.ts'

const WINDOW_MILLISECONDS = 3_000

let cloud: Cloud
let outputs: Record<string, string>
let queue: SQSClient
let lambda: LambdaClient

beforeAll(async () => {
  ;({ cloud, outputs } = await startFixtureCloud('batching'))
  queue = new SQSClient(clientOf(cloud))
  lambda = new LambdaClient(clientOf(cloud))
})
afterAll(() => stopFixtureCloud(cloud))

const resultsOf = (count: number) =>
  reports(cloud, outputs.ResultsQueueUrl ?? '', (found) => total(sizesOf(found)) >= count)

test('an object put into the bucket comes to the function in a batch', async () => {
  const s3 = new S3Client(clientOf(cloud))
  await s3.send(new PutObjectCommand({ Bucket: outputs.BucketName, Key: 'in/a file+1.json', Body: '{}' }))
  await s3.send(new PutObjectCommand({ Bucket: outputs.BucketName, Key: 'elsewhere/file.json', Body: '{}' }))

  const found = await reports(cloud, outputs.ResultsQueueUrl ?? '', ({ length }) => length > 0)

  expect(found.flatMap(({ keys }) => keys)).toEqual(['in/a+file%2B1.json'])
})

test('at low traffic five pollers gather small batches, and each waits for its own window', async () => {
  const started = Date.now()
  for (let number = 0; number < 30; number++) {
    await send(number)
    await sleep(60)
  }
  const stillThere = await queue.send(new ReceiveMessageCommand({ QueueUrl: outputs.LandingQueueUrl }))
  const [first] = await reports(cloud, outputs.ResultsQueueUrl ?? '', ({ length }) => length > 0)
  const waited = Date.now() - started
  const found = [first, ...(await resultsOf(30 - (first?.numbers.length ?? 0)))].flatMap((report) => report ?? [])

  expect(stillThere.Messages ?? [], 'messages in a batch that is being gathered are invisible').toEqual([])
  expect(waited).toBeGreaterThanOrEqual(WINDOW_MILLISECONDS)
  expect(waited).toBeLessThan(WINDOW_MILLISECONDS + 2_000)
  expect(sizesOf(found)).toHaveLength(5)
  expect(Math.max(...sizesOf(found))).toBeLessThanOrEqual(10)
  expect(found.flatMap(({ numbers }) => numbers).sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i))
})

test('a backlog is drained in full batches of 100, without waiting for the window', async () => {
  await whileMappingIsDisabled(async () => {
    for (let number = 0; number < 1_000; number += 10) await sendTen(number)
  })
  const started = Date.now()

  const found = await resultsOf(1_000)

  expect(sizesOf(found)).toEqual(Array(10).fill(100))
  expect(new Set(found.flatMap(({ numbers }) => numbers)).size).toBe(1_000)
  expect(Date.now() - started).toBeLessThan(WINDOW_MILLISECONDS)
})

test('a batch holds no more than the 6 MB of an invocation', async () => {
  await whileMappingIsDisabled(async () => {
    for (let number = 0; number < 10; number++) await send(number, 'x'.repeat(950_000))
  })

  const found = await resultsOf(10)

  expect(sizesOf(found)).toEqual([6, 4])
  expect(Math.max(...found.map(({ payloadBytes }) => payloadBytes))).toBeLessThanOrEqual(6 * 1024 * 1024)
})

test('a client that reads the queue beside the mapping takes no message twice, and deleted messages stay away', async () => {
  await whileMappingIsDisabled(async () => {
    for (let number = 0; number < 2_000; number += 10) await sendTen(number)
  })

  const byClients = (await Promise.all(Array.from({ length: 4 }, takeAll))).flat()
  const byMapping = (await resultsOf(2_000 - byClients.length)).flatMap(({ numbers }) => numbers)

  expect(new Set([...byClients, ...byMapping]).size).toBe(2_000)
  expect(byClients.length + byMapping.length).toBe(2_000)
  await expect.poll(messagesLeft).toBe(0)
})

test('after stop nothing runs that the cloud or its functions started', async () => {
  const before = processesIn(cloud.directory)
  await cloud.stop()

  expect(before.filter((line) => line.includes('_worker.js')).length).toBeGreaterThan(0)
  expect(processesIn(cloud.directory)).toEqual([])
})

function send(number: number, filling = '') {
  const MessageBody = JSON.stringify({ number, filling })
  return queue.send(new SendMessageCommand({ QueueUrl: outputs.LandingQueueUrl, MessageBody }))
}

function sendTen(first: number) {
  const Entries = Array.from({ length: 10 }, (_, i) => ({
    Id: `${i}`,
    MessageBody: JSON.stringify({ number: first + i }),
  }))
  return queue.send(new SendMessageBatchCommand({ QueueUrl: outputs.LandingQueueUrl, Entries }))
}

async function takeAll(): Promise<number[]> {
  const numbers: number[] = []
  while (true) {
    const { Messages = [] } = await queue.send(
      new ReceiveMessageCommand({ QueueUrl: outputs.LandingQueueUrl, MaxNumberOfMessages: 10 }),
    )
    if (Messages.length === 0) return numbers
    numbers.push(...Messages.map(({ Body = '' }) => JSON.parse(Body).number))
    const Entries = Messages.map(({ ReceiptHandle }, i) => ({ Id: `${i}`, ReceiptHandle }))
    await queue.send(new DeleteMessageBatchCommand({ QueueUrl: outputs.LandingQueueUrl, Entries }))
  }
}

async function messagesLeft(): Promise<number> {
  const { Attributes = {} } = await queue.send(
    new GetQueueAttributesCommand({ QueueUrl: outputs.LandingQueueUrl, AttributeNames: ['All'] }),
  )
  return Number(Attributes.ApproximateNumberOfMessages) + Number(Attributes.ApproximateNumberOfMessagesNotVisible)
}

async function whileMappingIsDisabled(action: () => Promise<void>) {
  const { EventSourceMappings = [] } = await lambda.send(new ListEventSourceMappingsCommand())
  const UUID = EventSourceMappings[0]?.UUID
  await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }))
  await action()
  await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: true }))
}
