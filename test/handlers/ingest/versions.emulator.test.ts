import { once } from 'node:events'
import { createServer } from 'node:http'
import { DeleteObjectCommand } from '@aws-sdk/client-s3'
import { asc, eq } from 'drizzle-orm'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { currentFiles, documents, files, messages } from '../../../db/schema.ts'
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
const KEY = 'input/orders/1.json'
let ledger: TestDatabase
let bucket: string
let stateMachineArn: string
let dependencies: IngestDependencies

beforeEach(async () => {
  stateMachineArn = await createStateMachine(sfn)
  ledger = await createDatabase()
  bucket = await createVersionedBucket(s3)
  dependencies = await ingestDependencies(clients, ledger, stateMachineArn)
})
afterEach(() => ledger[Symbol.asyncDispose]())
afterAll(() => {
  for (const client of Object.values(clients)) client.destroy()
})

const put = (body: string) => putObject(s3, bucket, KEY, body)
const versions = async () => [
  await put(orderText({ order_id: 'first' })),
  await put(orderText({ order_id: 'second' })),
  await put(orderText({ order_id: 'third' })),
]
const ingest = (records: object[], with_ = dependencies) =>
  ingestBatch(with_, sqsEvent(...records.map((record) => s3Message(record))), lambdaContext())
/** State of each version, in the order in which they were put. */
const states = async () => {
  const rows = await ledger.database.select().from(currentFiles).orderBy(asc(currentFiles.sequencer))
  return rows.map((row) => row.state)
}

describe('of several versions of a key the newest loaded one is current', () => {
  test('when they come in order, each in its batch', async () => {
    for (const version of await versions()) await ingest([version])
    expect(await states()).toEqual(['superseded', 'superseded', 'loaded'])
  })

  test('when they come in reverse', async () => {
    for (const version of (await versions()).toReversed()) await ingest([version])
    expect(await states()).toEqual(['superseded', 'superseded', 'loaded'])
  })

  test('when they come in one batch, and each has its document', async () => {
    const [first = {}, second = {}, third = {}] = await versions()
    await ingest([third, first, second])
    expect(await states()).toEqual(['superseded', 'superseded', 'loaded'])
    expect(await ledger.database.$count(documents)).toBe(3)
  })

  test('when they come in two batches at the same time', async () => {
    const [first = {}, second = {}, third = {}] = await versions()
    const other = await ingestDependencies(clients, ledger, stateMachineArn)
    await Promise.all([ingest([first, third]), ingest([third, second, first], other)])
    expect(await states()).toEqual(['superseded', 'superseded', 'loaded'])
    expect(await ledger.database.$count(documents)).toBe(3)
  })

  test('and a newer version that is poison leaves the older good one current', async () => {
    await ingest([await put(orderText()), await put('{"order_id":')])
    expect(await states()).toEqual(['loaded', 'poison'])
  })
})

describe('deleting', () => {
  test('an object with a delete marker unloads nothing, and a version under it is still loaded', async () => {
    const loaded = await put(orderText({ order_id: 'before' }))
    await ingest([loaded])
    const late = await put(orderText({ order_id: 'late' }))
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: KEY }))
    await ingest([late])
    expect(await states()).toEqual(['superseded', 'loaded'])
  })

  test('a version before its read makes it vanished; a later delivery changes nothing', async () => {
    const record = await put(orderText())
    const { versionId } = record.s3.object
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: KEY, VersionId: versionId }))
    await ingest([record])
    await ingest([record])
    expect(await states()).toEqual(['vanished'])
  })
})

describe('S3 refuses a read', () => {
  test('with 403: the version is not vanished, its message comes again, and then it is loaded', async () => {
    const record = await put(orderText())
    const denying = createServer((_, response) => {
      response.writeHead(403, { 'content-type': 'application/xml' })
      response.end('<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>')
    }).listen(0, '127.0.0.1')
    await once(denying, 'listening')
    const { s3: refused } = awsClients(`http://127.0.0.1:${portOf(denying)}`)
    const reader = { ...dependencies.reader, s3: refused }

    const response = await ingest([record], { ...dependencies, reader })
    denying.close()

    expect(response.batchItemFailures).toHaveLength(1)
    expect(await states()).toEqual([])
    await ingest([record])
    expect(await states()).toEqual(['loaded'])
  })
})

test('an object without versions is refused: the message is kept with the reason', async () => {
  const record = await put(orderText())
  Reflect.deleteProperty(record.s3.object, 'versionId')
  expect(await ingest([record])).toEqual({ batchItemFailures: [] })
  expect(await ledger.database.select().from(messages)).toMatchObject([
    { reason: expect.stringContaining('versionId is missing: the bucket must be versioned') },
  ])
  expect(await ledger.database.$count(files, eq(files.bucket, bucket))).toBe(0)
})
