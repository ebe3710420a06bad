import { once } from 'node:events'
import { createServer } from 'node:http'
import { sql } from 'drizzle-orm'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { documents, files } from '../../../db/schema.ts'
import { ingestBatch } from '../../../handlers/ingest/ingest-batch.ts'
import type { IngestDependencies } from '../../../handlers/ingest/ingest-slice.ts'
import { awsClients, createStateMachine, createVersionedBucket, putObject } from '../../support/aws.ts'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { ingestDependencies } from '../../support/ingest.ts'
import { orderText } from '../../support/orders.ts'
import { portOf } from '../../support/ports.ts'
import { lambdaContext, s3Message, sqsEvent } from '../../support/s3-events.ts'

const clients = awsClients()
const { s3, sfn } = clients
let ledger: TestDatabase
let bucket: string
let dependencies: IngestDependencies
/** Server processes that a test has frozen. */
let frozen: number[]

beforeEach(async () => {
  frozen = []
  ledger = await createDatabase()
  bucket = await createVersionedBucket(s3)
  dependencies = await ingestDependencies(clients, ledger, await createStateMachine(sfn))
})
afterEach(async () => {
  thaw()
  await ledger[Symbol.asyncDispose]()
})
afterAll(() => {
  for (const client of Object.values(clients)) client.destroy()
})

/** An invocation has 2 s for its answer: this leaves 1.5 s for the work. */
const SHORT_TIMEOUT_MILLISECONDS = 3_500

const putOrder = (name: string, text = orderText()) => putObject(s3, bucket, `input/orders/${name}.json`, text)

const ingest = (records: object[], { receives = 1, timeoutMilliseconds = 60_000, with_ = dependencies } = {}) => {
  const event = sqsEvent(...records.map((record) => s3Message(record)))
  for (const record of event.Records) record.attributes.ApproximateReceiveCount = String(receives)
  return ingestBatch(with_, event, lambdaContext(timeoutMilliseconds))
}

/** Stops the server process behind the function's connection: PostgreSQL hangs, and does not even refuse. */
async function freezeDatabase(): Promise<void> {
  const pid = await dependencies.withDatabase(async (database) => {
    const { rows } = await database.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`)
    return rows[0]?.pid ?? 0
  })
  process.kill(pid, 'SIGSTOP')
  frozen.push(pid)
}

function thaw(): void {
  for (const pid of frozen.splice(0)) process.kill(pid, 'SIGCONT')
}

test('PostgreSQL hangs: the messages return in time, nothing is quarantined, the redelivery commits', async () => {
  const records = await Promise.all(['1', '2', '3'].map((name) => putOrder(name)))
  await freezeDatabase()

  const startedAt = performance.now()
  const response = await ingest(records, { timeoutMilliseconds: SHORT_TIMEOUT_MILLISECONDS })

  expect(response.batchItemFailures).toHaveLength(3)
  expect(performance.now() - startedAt).toBeLessThan(SHORT_TIMEOUT_MILLISECONDS)
  expect(await ledger.database.$count(files)).toBe(0)

  // The server is still ill for the old connection; a new one works.
  expect(await ingest(records, { receives: 2 })).toEqual({ batchItemFailures: [] })
  expect(await ledger.database.$count(documents)).toBe(3)
})

test('PostgreSQL hangs within an attempt: it does not count as one that never ended', async () => {
  const record = await putOrder('1')
  const freezing = createServer(async (_, response) => {
    await freezeDatabase()
    response.writeHead(200, { 'content-length': Buffer.byteLength(orderText()) })
    response.end(orderText())
  }).listen(0, '127.0.0.1')
  await once(freezing, 'listening')
  const reader = { ...dependencies.reader, s3: awsClients(`http://127.0.0.1:${portOf(freezing)}`).s3 }

  const response = await ingest([record], {
    receives: 2,
    timeoutMilliseconds: SHORT_TIMEOUT_MILLISECONDS,
    with_: { ...dependencies, reader },
  })
  freezing.close()

  expect(response.batchItemFailures).toHaveLength(1)
  expect(await ledger.database.select().from(files)).toMatchObject([{ status: 'attempted', attemptsBegun: 1 }])
  expect(await ingest([record], { receives: 3 })).toEqual({ batchItemFailures: [] })
  expect(await ledger.database.select().from(files)).toMatchObject([
    { status: 'loaded', attemptsBegun: 2, attemptsEnded: 2 },
  ])
})

test('S3 hangs: only the message that waits for it returns, in time', async () => {
  const good = await putOrder('1')
  const hanging = createServer(() => {}).listen(0, '127.0.0.1')
  await once(hanging, 'listening')
  const reader = { ...dependencies.reader, s3: awsClients(`http://127.0.0.1:${portOf(hanging)}`).s3 }

  const startedAt = performance.now()
  const response = await ingest([good], {
    timeoutMilliseconds: SHORT_TIMEOUT_MILLISECONDS,
    with_: { ...dependencies, reader },
  })
  hanging.closeAllConnections()
  hanging.close()

  expect(response.batchItemFailures).toHaveLength(1)
  expect(performance.now() - startedAt).toBeLessThan(SHORT_TIMEOUT_MILLISECONDS)
  expect(await ingest([good])).toEqual({ batchItemFailures: [] })
})

test('with less than 15 s left no new slice starts, and the rest returns', async () => {
  const records = await Promise.all(['1', '2', '3', '4'].map((name) => putOrder(name)))
  const event = sqsEvent(...records.map((record) => s3Message(record)))
  for (const record of event.Records) record.attributes.ApproximateReceiveCount = '2'
  // Asked twice at the start, then before each slice.
  const remaining = [60_000, 60_000, 40_000, 15_000, 14_999]
  const context = { ...lambdaContext(), getRemainingTimeInMillis: () => remaining.shift() ?? 0 }

  const response = await ingestBatch(dependencies, event, context)

  expect(response.batchItemFailures.map((failure) => failure.itemIdentifier)).toEqual(
    event.Records.slice(2).map((record) => record.messageId),
  )
  expect(await ledger.database.$count(documents)).toBe(2)
})
