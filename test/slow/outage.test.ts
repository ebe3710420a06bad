import { PutObjectCommand } from '@aws-sdk/client-s3'
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Database, openDatabase } from '../../db/client.ts'
import { batches, currentFiles, documents } from '../../db/schema.ts'
import { type Cloud, startCloud } from '../../infra/local/cloud.ts'
import { connectTo, type Deployment, databaseParameters, databaseSecret } from '../../infra/local/demo/deployment.ts'
import { deployStack } from '../../infra/local/deploy.ts'
import { orderText } from '../support/orders.ts'
import { findDrains, listExecutionArns, listenToNotices, untilEnded } from '../support/pipeline.ts'
import { setLease } from '../support/transforms.ts'

/**
 * The real template with its times shortened by context: a message is received every 31 s (visibility timeout: 6 x 5 + 1)
 * and at most three times, where AWS has 415 s and twelve. What counts is the last receive: an hour is 79 % of the 76
 * minutes until then, 48 s are 79 % of the 62 s here.
 */
const CONTEXT = {
  batchingWindowSeconds: '1',
  ingestTimeoutSeconds: '5',
  receivesBeforeDeadLetter: '3',
  sweepIntervalMinutes: '1',
}
const HOUR_SECONDS = 48
const LONGER_SECONDS = 130

let cloud: Cloud
let pipeline: Deployment
/** A connection that an outage does not touch. */
let outside: Database
let notices: () => Promise<string[]>

beforeAll(async () => {
  cloud = await startCloud({ name: 'outage', waitScale: 0.02, cloudwatchMinuteSeconds: 1 })
  const secret = databaseSecret(cloud)
  const parameters = databaseParameters(cloud)
  pipeline = connectTo(cloud, await deployStack(cloud, { context: CONTEXT, parameters }))
  // A transform that an outage breaks is told too. That is not what is counted here.
  await setLease(pipeline, 'infinity')
  outside = openDatabase({ ...secret, dbname: 'template1' }, 'outside')
  ;({ notices } = await listenToNotices(pipeline))
})
afterAll(() => cloud?.stop())

async function withoutDatabase(seconds: number, during: () => Promise<void>): Promise<void> {
  await outside.execute(sql`alter database postgres allow_connections false`)
  await outside.execute(sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = 'postgres'`)
  const over = new Promise((resolve) => setTimeout(resolve, seconds * 1_000))
  await during()
  await over
  await outside.execute(sql`alter database postgres allow_connections true`)
}

const put = (name: string, count: number) =>
  Promise.all(
    Array.from({ length: count }, (_, n) =>
      pipeline.s3.send(
        new PutObjectCommand({ Bucket: pipeline.bucket, Key: `input/orders/${name}/${n}.json`, Body: orderText() }),
      ),
    ),
  ).then(() => {})

async function deadLetters(): Promise<number> {
  const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const
  const { Attributes = {} } = await pipeline.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: pipeline.deadLetterQueueUrl, AttributeNames: [...names] }),
  )
  return names.reduce((sum, name) => sum + Number(Attributes[name]), 0)
}

/** How many files are loaded, once, by the ledger, the documents and the counts of the batches alike. */
async function expectLoaded(count: number): Promise<void> {
  const database = openDatabase(databaseSecret(cloud), 'look')
  try {
    const [sum] = await database.select({ loaded: sql<number>`sum(${batches.loaded})::integer` }).from(batches)
    expect({
      files: await database.$count(currentFiles, sql`${currentFiles.state} = 'loaded'`),
      others: await database.$count(currentFiles, sql`${currentFiles.state} <> 'loaded'`),
      documents: await database.$count(documents),
      ...sum,
    }).toEqual({ files: count, others: 0, documents: count, loaded: count })
  } finally {
    await database.$client.end()
  }
}

const failures = async () => (await notices()).filter((text) => text.includes('FAILED'))

test('an hour without the database dead-letters nothing, and heals by itself', async () => {
  const before = await listExecutionArns(pipeline)
  await withoutDatabase(HOUR_SECONDS, () => put('short', 40))

  await vi.waitFor(() => expectLoaded(40), { timeout: 60_000, interval: 1_000 })
  expect(await findDrains(pipeline, before)).toEqual([])
  expect(await failures()).toEqual([])
})

test('a longer one fills the dead-letter queue, is told once, and drains by itself when the database is back', async () => {
  const before = await listExecutionArns(pipeline)
  await withoutDatabase(LONGER_SECONDS, async () => {
    await put('long', 40)
    await vi.waitFor(async () => expect(await deadLetters()).toBe(40), { timeout: 125_000, interval: 1_000 })
  })

  await vi.waitFor(() => expectLoaded(80), { timeout: 120_000, interval: 1_000 })
  expect(await deadLetters()).toBe(0)
  const drains = await findDrains(pipeline, before)
  const statusOf = async (arn: string) => (await untilEnded(pipeline, arn)).status
  // The newest first: the sweep's, after the alarm's.
  expect(await Promise.all(drains.map(statusOf))).toEqual(['SUCCEEDED', 'FAILED'])
  expect(await failures()).toHaveLength(1)
})
