import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3'
import { DescribeExecutionCommand, GetExecutionHistoryCommand } from '@aws-sdk/client-sfn'
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs'
import { and, eq, like, ne, notInArray, sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { batches, currentFiles, documents } from '../../db/schema.ts'
import { badFiles } from '../../infra/local/demo/bad-files.ts'
import { connectTo, type Deployment } from '../../infra/local/demo/deployment.ts'
import { orderText } from '../support/orders.ts'

let pipeline: Deployment

beforeAll(() => {
  pipeline = connectTo(inject('cloud'), inject('stackOutputs'))
})
afterAll(() => pipeline.database.$client.end())

const put = (Key: string, Body: string | Uint8Array) =>
  pipeline.s3.send(new PutObjectCommand({ Bucket: pipeline.bucket, Key, Body }))

/** Ledger rows under a prefix, once there are so many and none waits for its copy. */
const settled = (prefix: string, count: number) =>
  vi.waitFor(
    async () => {
      const rows = await pipeline.database
        .select()
        .from(currentFiles)
        .where(like(currentFiles.key, `${prefix}%`))
      expect(rows.filter((row) => row.state !== 'poison')).toHaveLength(count)
      return rows
    },
    { timeout: 45_000, interval: 250 },
  )

const queueDepth = async (QueueUrl: string) => {
  const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const
  const { Attributes = {} } = await pipeline.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...names] }),
  )
  return names.map((name) => Number(Attributes[name]))
}

test('good files become rows, bad ones are quarantined with their reasons, and nothing stays in a queue', async () => {
  const orders = Array.from({ length: 120 }, (_, n) => ({ key: `input/orders/e2e/${n}.json`, body: orderText() }))
  const wrong = badFiles.map((bad) => ({ ...bad, key: bad.key.replace('input/orders/', 'input/orders/e2e/') }))
  const mine = wrong.filter((bad) => bad.key.startsWith('input/orders/e2e/'))
  await Promise.all([...orders, ...mine].map(({ key, body }) => put(key, body)))

  const rows = await settled('input/orders/e2e/', orders.length + mine.length)

  expect(rows.filter((row) => row.state === 'loaded')).toHaveLength(orders.length)
  for (const bad of mine) {
    const row = rows.find(({ key }) => key === bad.key)
    expect(row, bad.key).toMatchObject({ state: 'quarantined', reason: { kind: bad.kind } })
    const copy = await pipeline.s3.send(
      new GetObjectCommand({ Bucket: pipeline.bucket, Key: row?.quarantineKey ?? '' }),
    )
    expect(Buffer.from((await copy.Body?.transformToByteArray()) ?? []), bad.key).toEqual(Buffer.from(bad.body))
  }
  await vi.waitFor(async () => expect(await queueDepth(pipeline.queueUrl)).toEqual([0, 0]), { timeout: 20_000 })
  expect(await queueDepth(pipeline.deadLetterQueueUrl)).toEqual([0, 0])
})

test('every batch that brought something new has one execution that succeeds, by the route it needs', async () => {
  await put('input/orders/routes/good.json', orderText())
  const [good] = await settled('input/orders/routes/', 1)
  await put('input/orders/routes/bad.json', '{}')
  const bad = (await settled('input/orders/routes/', 2)).find((row) => row.state === 'quarantined')

  expect(await statesOf(good?.batchId)).toEqual(['ChooseRoute', 'Done'])
  expect(await statesOf(bad?.batchId)).toEqual(['ChooseRoute', 'QuarantineFiles', 'Done'])
})

async function statesOf(batchId: number | null | undefined): Promise<string[]> {
  const [batch] = await pipeline.database
    .select()
    .from(batches)
    .where(eq(batches.id, batchId ?? 0))
  const executionArn = `${pipeline.stateMachineArn.replace(':stateMachine:', ':execution:')}:${batch?.executionName}`
  await vi.waitFor(
    async () => {
      const { status } = await pipeline.sfn.send(new DescribeExecutionCommand({ executionArn }))
      expect(status).toBe('SUCCEEDED')
    },
    { timeout: 20_000 },
  )
  const { events = [] } = await pipeline.sfn.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }))
  return events.flatMap((event) => event.stateEnteredEventDetails?.name ?? [])
}

test('what is noise never reaches the queue', async () => {
  const noise = [
    'input/orders/noise/1.csv',
    'orders/noise/1.json',
    'input/orders/noise/1.JSON',
    'input/orders/noise/1.json.gz',
  ]
  const received = () => pipeline.database.select({ sum: sql<string>`sum(${batches.messages})` }).from(batches)
  const [before] = await received()
  await Promise.all(noise.map((key) => put(key, orderText())))
  await put('input/orders/noise/signal.json', orderText())
  await settled('input/orders/noise/', 1)
  const [after] = await received()
  expect(Number(after?.sum) - Number(before?.sum)).toBe(1)
})

test('a newer version of a key supersedes the older one, and both are accounted for', async () => {
  await put('input/orders/versions/1.json', orderText({ order_id: 'older' }))
  await put('input/orders/versions/1.json', orderText({ order_id: 'newer' }))
  await settled('input/orders/versions/', 2)
  const rows = await pipeline.database
    .select({ state: currentFiles.state, order: sql`payload->>'order_id'` })
    .from(currentFiles)
    .innerJoin(documents, eq(documents.fileId, currentFiles.id))
    .where(and(eq(currentFiles.key, 'input/orders/versions/1.json')))
  expect(rows.toSorted((a, b) => a.state.localeCompare(b.state))).toEqual([
    { state: 'loaded', order: 'newer' },
    { state: 'superseded', order: 'older' },
  ])
})

test('every object under input/ that ends in .json is in the ledger, and no other but what was erased', async () => {
  const { Contents = [] } = await pipeline.s3.send(new ListObjectsV2Command({ Bucket: pipeline.bucket }))
  const expected = Contents.map(({ Key = '' }) => Key).filter(
    (key) => key.startsWith('input/') && key.endsWith('.json'),
  )
  const known = await pipeline.database
    .selectDistinct({ key: currentFiles.key })
    .from(currentFiles)
    .where(ne(currentFiles.state, 'erased'))
  expect(known.map((row) => row.key).toSorted()).toEqual(expected.toSorted())
  const states = pipeline.database.select().from(currentFiles)
  expect(await states.where(notInArray(currentFiles.state, ['loaded', 'superseded', 'quarantined', 'erased']))).toEqual(
    [],
  )
})
