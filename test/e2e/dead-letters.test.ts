import { StartExecutionCommand } from '@aws-sdk/client-sfn'
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs'
import { eq, inArray, sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { files, messages } from '../../db/schema.ts'
import { connectTo, type Deployment } from '../../infra/local/demo/deployment.ts'
import { orderText } from '../support/orders.ts'
import {
  die,
  findDrains,
  listExecutionArns,
  listenToNotices,
  putUnknown,
  runSluice,
  statesOf,
  untilEnded,
} from '../support/pipeline.ts'
import { s3Message } from '../support/s3-events.ts'

let pipeline: Deployment
let heard: Awaited<ReturnType<typeof listenToNotices>>

beforeAll(async () => {
  pipeline = connectTo(inject('cloud'), inject('stackOutputs'))
  heard = await listenToNotices(pipeline)
})
afterAll(() => pipeline.database.$client.end())

const start = async (input: object): Promise<string> => {
  const { stateMachineArn } = pipeline
  const started = await pipeline.sfn.send(new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }))
  return started.executionArn ?? ''
}

/** The drain that the alarm starts, once it has ended. */
async function untilDrained(before: readonly string[]): Promise<string> {
  const arn = await vi.waitFor(
    async () => {
      const [drain] = await findDrains(pipeline, before)
      if (drain === undefined) throw new Error('no drain was started')
      return drain
    },
    { timeout: 20_000, interval: 250 },
  )
  await untilEnded(pipeline, arn)
  return arn
}

const statusesOf = async (...versions: string[]) => {
  const rows = await pipeline.database.select().from(files).where(inArray(files.versionId, versions)).orderBy(files.key)
  return rows.map((row) => row.status)
}

test('the alarm starts a drain, which loads or refuses dead letters, keeps what is unreadable, and tells of it once', async () => {
  const good = await putUnknown(pipeline, 'good', orderText())
  const bad = await putUnknown(pipeline, 'bad', '{"order_id":')
  const before = await listExecutionArns(pipeline)
  await die(pipeline, s3Message(good, bad))
  await die(pipeline, s3Message(good))
  await die(pipeline, 'this is no event')

  const drain = await untilDrained(before)

  expect((await untilEnded(pipeline, drain)).status).toBe('SUCCEEDED')
  const { versionId: goodVersion = '' } = good.s3.object
  const { versionId: badVersion = '' } = bad.s3.object
  await vi.waitFor(async () => expect(await statusesOf(goodVersion, badVersion)).toEqual(['quarantined', 'loaded']), {
    timeout: 20_000,
  })
  expect(await pipeline.database.select().from(messages).where(eq(messages.body, 'this is no event'))).toMatchObject([
    { reason: 'the body is not JSON', batchId: null },
  ])
  const { Attributes } = await pipeline.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: pipeline.deadLetterQueueUrl, AttributeNames: ['All'] }),
  )
  expect(Attributes).toMatchObject({ ApproximateNumberOfMessages: '0', ApproximateNumberOfMessagesNotVisible: '0' })
  const told = (await heard.notices()).filter((text) => text.includes('received too often'))
  expect(told).toHaveLength(1)
  expect(told[0]).toContain('orders (commerce-data@example.com): 1 refused (1 unparsable), 1 loaded')
})

test('their alarm tells that it is, with the place of the runbook, and that it is over', async () => {
  const about =
    /^alarm sluice-local-dead-letters(: Messages were received too often\. .*runbook\.md#dead-letters| is over)$/
  await vi.waitFor(
    async () => {
      const alarms = (await heard.alarms()).filter((text) => text.includes('dead-letters'))
      expect(alarms.length).toBeGreaterThanOrEqual(2)
      for (const alarm of alarms) expect(alarm).toMatch(about)
    },
    { timeout: 20_000, interval: 500 },
  )
})

test('what is still dead fails the last Task; redriven after the cause is mended, only what is left runs again', async () => {
  const record = await putUnknown(pipeline, 'later', orderText())
  const before = await listExecutionArns(pipeline)
  await pipeline.database.execute(sql`alter table raw.documents rename to hidden`)
  await die(pipeline, s3Message(record))

  const drain = await untilDrained(before)

  expect(await untilEnded(pipeline, drain)).toMatchObject({ status: 'FAILED', error: 'DeadLettersRemain' })
  const walked = await statesOf(pipeline, drain)
  expect(walked.filter((state) => state === 'CollectDeadLetters')).toHaveLength(1)
  expect(walked.at(-1)).toBe('RequireNoneRemain')
  expect(walked).toContain('StillDead')
  await vi.waitFor(async () =>
    expect((await heard.notices()).filter((text) => text.includes('FAILED'))).toHaveLength(1),
  )

  await pipeline.database.execute(sql`alter table raw.hidden rename to documents`)
  const name = drain.split(':').at(-1) ?? ''
  await sluice('redrive', '--all-failed', '--yes')

  expect((await untilEnded(pipeline, drain)).status).toBe('SUCCEEDED')
  expect(await statusesOf(record.s3.object.versionId ?? '')).toEqual(['loaded'])
  const again = (await statesOf(pipeline, drain)).slice(walked.length)
  expect(again).not.toContain('CollectDeadLetters')
  expect(again).toContain('LoadFile')

  const told = await sluice('execution', name)
  expect(told).toContain('SUCCEEDED, redriven 1 times')
  expect(told).toContain('DeadLettersRemain')
})

test('a drain with nothing to do ends without a notice', async () => {
  const before = (await heard.notices()).length
  const drain = await start({ trigger: 'dead-letters' })
  expect((await untilEnded(pipeline, drain)).status).toBe('SUCCEEDED')
  expect(await statesOf(pipeline, drain)).toEqual([
    'ChooseRoute',
    'CollectDeadLetters',
    'IsQueueDrained',
    'ClaimDeadLetters',
    'WhatWasClaimed',
    'Done',
  ])
  expect(await heard.notices()).toHaveLength(before)
})

test('a sweep finds nothing when nothing was forgotten', async () => {
  const { output } = await untilEnded(pipeline, await start({ trigger: 'sweep' }))
  expect(JSON.parse(output ?? '')).toEqual({
    isDatabaseUp: true,
    batchesStarted: 0,
    drainStarted: null,
    partitionsCreated: 0,
    partitionsDropped: 0,
    partitionsOverdue: 0,
    poisonFileIds: [],
  })
})

const sluice = (...args: string[]) => runSluice(inject('cloud').endpoint, ...args)
