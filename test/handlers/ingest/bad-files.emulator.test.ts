import { asc, ne } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { documents, files } from '../../../db/schema.ts'
import { ingestBatch } from '../../../handlers/ingest/ingest-batch.ts'
import { badFiles } from '../../../infra/local/demo/bad-files.ts'
import { awsClients, createStateMachine, createVersionedBucket, putObject } from '../../support/aws.ts'
import { createDatabase } from '../../support/database.ts'
import { ingestDependencies } from '../../support/ingest.ts'
import { orderText } from '../../support/orders.ts'
import { lambdaContext, s3Message, sqsEvent } from '../../support/s3-events.ts'

const clients = awsClients()
const { s3, secrets, sfn } = clients
let bucket: string
let stateMachineArn: string
/** The same for every test: each has a ledger of its own. */
let good: object[]

beforeAll(async () => {
  bucket = await createVersionedBucket(s3)
  stateMachineArn = await createStateMachine(sfn)
  good = await Promise.all(
    Array.from({ length: 99 }, (_, n) =>
      putObject(s3, bucket, `input/orders/${n}.json`, orderText({ order_id: `${n}` })),
    ),
  )
})
afterAll(() => {
  for (const client of [s3, secrets, sfn]) client.destroy()
})

test.each(badFiles)(
  '99 good files and $key: 99 loaded, 1 quarantined as $kind at $path, none redelivered',
  async (bad) => {
    await using ledger = await createDatabase()
    const dependencies = await ingestDependencies(clients, ledger, stateMachineArn)
    const record = await putObject(s3, bucket, bad.key, bad.body)
    const messages = good.toSpliced(50, 0, record).map((message) => s3Message(message))

    const response = await ingestBatch(dependencies, sqsEvent(...messages), lambdaContext())

    expect(response).toEqual({ batchItemFailures: [] })
    expect(await ledger.database.$count(documents)).toBe(99)
    const refused = await ledger.database.select().from(files).where(ne(files.status, 'loaded')).orderBy(asc(files.id))
    expect(refused).toMatchObject([
      { key: bad.key, status: 'poison', reason: { kind: bad.kind, issues: expect.any(Array) } },
    ])
    expect(refused[0]?.reason?.issues[0]?.path).toBe(bad.path)
  },
)

test('all bad kinds in one batch are each found, and their neighbours loaded', async () => {
  await using ledger = await createDatabase()
  const dependencies = await ingestDependencies(clients, ledger, stateMachineArn)
  const records = await Promise.all(badFiles.map((bad) => putObject(s3, bucket, bad.key, bad.body)))
  const messages = [...good.slice(0, 80), ...records].map((message) => s3Message(message))

  const response = await ingestBatch(dependencies, sqsEvent(...messages), lambdaContext())

  expect(response).toEqual({ batchItemFailures: [] })
  expect(await ledger.database.$count(documents)).toBe(80)
  const refused = await ledger.database.select().from(files).where(ne(files.status, 'loaded'))
  expect(new Map(refused.map((file) => [file.key, file.reason?.kind]))).toEqual(
    new Map(badFiles.map((bad) => [bad.key, bad.kind])),
  )
})
