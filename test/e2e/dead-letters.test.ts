import { PutObjectCommand } from '@aws-sdk/client-s3'
import { DescribeExecutionCommand, GetExecutionHistoryCommand, StartExecutionCommand } from '@aws-sdk/client-sfn'
import { GetQueueAttributesCommand, SendMessageCommand } from '@aws-sdk/client-sqs'
import { eq, inArray } from 'drizzle-orm'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { documents, files, messages } from '../../db/schema.ts'
import { connectTo, type Deployment } from '../../infra/local/demo/deployment.ts'
import { orderText } from '../support/orders.ts'
import { s3Message, s3Record } from '../support/s3-events.ts'

let pipeline: Deployment

beforeAll(() => {
  pipeline = connectTo(inject('cloud'), inject('stackOutputs'))
})
afterAll(() => pipeline.database.$client.end())

/** Puts a file and waits until it is settled; then the ledger forgets it, as if its message had never been ingested. */
async function putUnknown(name: string, body: string) {
  const Key = `input/orders/dead/${name}.json`
  const { VersionId: versionId = '' } = await pipeline.s3.send(
    new PutObjectCommand({ Bucket: pipeline.bucket, Key, Body: body }),
  )
  const row = await vi.waitFor(
    async () => {
      const [found] = await pipeline.database.select().from(files).where(eq(files.versionId, versionId))
      expect(['loaded', 'quarantined']).toContain(found?.status)
      return found
    },
    { timeout: 20_000, interval: 200 },
  )
  await pipeline.database.delete(documents).where(eq(documents.fileId, row?.id ?? 0))
  await pipeline.database.delete(files).where(eq(files.versionId, versionId))
  return s3Record({ bucket: pipeline.bucket, key: Key, versionId, size: Buffer.byteLength(body) })
}

const die = (body: string) =>
  pipeline.sqs.send(new SendMessageCommand({ QueueUrl: pipeline.deadLetterQueueUrl, MessageBody: body }))

async function drain(): Promise<string> {
  const { executionArn = '' } = await pipeline.sfn.send(
    new StartExecutionCommand({ stateMachineArn: pipeline.stateMachineArn, input: '{"trigger":"dead-letters"}' }),
  )
  await vi.waitFor(
    async () => {
      const { status } = await pipeline.sfn.send(new DescribeExecutionCommand({ executionArn }))
      expect(status).not.toBe('RUNNING')
    },
    { timeout: 40_000, interval: 200 },
  )
  return executionArn
}

const statusOf = async (executionArn: string) => await pipeline.sfn.send(new DescribeExecutionCommand({ executionArn }))

async function statesOf(executionArn: string): Promise<string[]> {
  const { events = [] } = await pipeline.sfn.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }))
  return events.flatMap((event) => event.stateEnteredEventDetails?.name ?? [])
}

test('dead letters are loaded, refused or kept by a drain, and none is left in the queue', async () => {
  const good = await putUnknown('good', orderText())
  const bad = await putUnknown('bad', '{"order_id":')
  await die(s3Message(good, bad))
  await die(s3Message(good))
  await die('this is no event')

  const execution = await drain()

  expect((await statusOf(execution)).status).toBe('SUCCEEDED')
  expect(await statesOf(execution)).toEqual(
    expect.arrayContaining([
      'CollectDeadLetters',
      'ClaimDeadLetters',
      'LoadDeadLetters',
      'PublishNotice',
      'RequireNoneRemain',
      'Done',
    ]),
  )
  await vi.waitFor(
    async () => {
      const versions = [good, bad].map((record) => record.s3.object.versionId ?? '')
      const rows = await pipeline.database
        .select()
        .from(files)
        .where(inArray(files.versionId, versions))
        .orderBy(files.key)
      expect(rows.map((row) => row.status)).toEqual(['quarantined', 'loaded'])
    },
    { timeout: 20_000 },
  )
  expect(await pipeline.database.select().from(messages).where(eq(messages.body, 'this is no event'))).toMatchObject([
    { reason: 'the body is not JSON', batchId: null },
  ])
  const { Attributes } = await pipeline.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: pipeline.deadLetterQueueUrl, AttributeNames: ['All'] }),
  )
  expect(Attributes).toMatchObject({ ApproximateNumberOfMessages: '0', ApproximateNumberOfMessagesNotVisible: '0' })
})

test('a drain with nothing to do ends without a notice', async () => {
  const execution = await drain()
  expect(await statesOf(execution)).toEqual([
    'ChooseRoute',
    'CollectDeadLetters',
    'IsQueueDrained',
    'ClaimDeadLetters',
    'WhatWasClaimed',
    'Done',
  ])
})

test('a sweep finds nothing when nothing was forgotten', async () => {
  const { executionArn = '' } = await pipeline.sfn.send(
    new StartExecutionCommand({ stateMachineArn: pipeline.stateMachineArn, input: '{"trigger":"sweep"}' }),
  )
  const done = await vi.waitFor(
    async () => {
      const described = await statusOf(executionArn)
      expect(described.status).toBe('SUCCEEDED')
      return described
    },
    { timeout: 20_000 },
  )
  expect(JSON.parse(done.output ?? '')).toEqual({
    isDatabaseUp: true,
    batchesStarted: 0,
    drainStarted: null,
    partitionsCreated: 0,
    poisonFileIds: [],
  })
})
