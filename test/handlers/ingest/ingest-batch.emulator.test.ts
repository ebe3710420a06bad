import { once } from 'node:events'
import { createServer } from 'node:http'
import { DeleteObjectCommand } from '@aws-sdk/client-s3'
import { ListExecutionsCommand, StartExecutionCommand } from '@aws-sdk/client-sfn'
import { asc, eq, sql } from 'drizzle-orm'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openDatabase } from '../../../db/client.ts'
import { batches, currentFiles, documents, files, messages } from '../../../db/schema.ts'
import { ingestBatch } from '../../../handlers/ingest/ingest-batch.ts'
import type { IngestDependencies } from '../../../handlers/ingest/ingest-slice.ts'
import { startExecution } from '../../../handlers/ingest/start-execution.ts'
import { awsClients, createStateMachine, createVersionedBucket, putObject } from '../../support/aws.ts'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { ingestDependencies } from '../../support/ingest.ts'
import { orderText } from '../../support/orders.ts'
import { portOf } from '../../support/ports.ts'
import { lambdaContext, s3Message, sqsEvent } from '../../support/s3-events.ts'

const clients = awsClients()
const { s3, secrets, sfn } = clients
let ledger: TestDatabase
let bucket: string
let stateMachineArn: string
let dependencies: IngestDependencies

beforeEach(async () => {
  stateMachineArn = await createStateMachine(sfn)
  ledger = await createDatabase()
  bucket = await createVersionedBucket(s3)
  dependencies = await makeDependencies()
})
afterEach(async () => {
  await ledger[Symbol.asyncDispose]()
})
afterAll(() => {
  for (const client of [s3, secrets, sfn]) client.destroy()
})

const makeDependencies = () => ingestDependencies(clients, ledger, stateMachineArn)

const put = (key: string, body: string | Uint8Array) => putObject(s3, bucket, key, body)

const putOrders = (count: number, fields: Record<string, unknown> = {}) =>
  Promise.all(
    Array.from({ length: count }, (_, n) => put(`input/orders/${n}.json`, orderText({ order_id: `${n}`, ...fields }))),
  )

const ingest = (...records: object[]) =>
  ingestBatch(dependencies, sqsEvent(...records.map((record) => s3Message(record))), lambdaContext())

const ledgerRows = () => ledger.database.select().from(files).orderBy(asc(files.id))
const documentCount = async () => await ledger.database.$count(documents)
const executionNames = async () => {
  const { executions = [] } = await sfn.send(new ListExecutionsCommand({ stateMachineArn, maxResults: 1000 }))
  return executions.map((execution) => execution.name)
}

describe('a batch of good files', () => {
  test('is loaded in one transaction, its numbers exact, and starts one execution', async () => {
    const exact = orderText().replace('19.9', '12345678901234567890.12345').replace('9.95', '1e400')
    const record = await put('input/orders/exact.json', `\u{feff}${exact}`)
    const response = await ingest(record, await put('input/github/ping/1.json', '{"zen":"Approachable"}'))

    expect(response).toEqual({ batchItemFailures: [] })
    expect(await ledgerRows()).toMatchObject([
      { source: 'github', status: 'loaded', records: 1, contractVersion: 1, reason: null, batchId: 1 },
      {
        bucket,
        key: 'input/orders/exact.json',
        versionId: record.s3.object.versionId,
        sequencer: record.s3.object.sequencer,
        source: 'orders',
        status: 'loaded',
        lastModifiedAt: expect.any(Date),
      },
    ])
    const [stored] = await ledger.database
      .select({
        total: sql`payload->>'total'`,
        price: sql<string>`payload#>>'{lines,0,unit_price}'`,
        day: documents.loadedOn,
      })
      .from(documents)
      .where(eq(documents.source, 'orders'))
    expect(stored).toEqual({
      total: '12345678901234567890.12345',
      price: `1${'0'.repeat(400)}`,
      day: new Date().toISOString().slice(0, 10),
    })
    const [batch] = await ledger.database.select().from(batches)
    expect(batch).toMatchObject({
      messages: 2,
      files: 2,
      loaded: 2,
      poison: 0,
      repeated: 0,
      startedAt: expect.any(Date),
    })
    expect(batch?.executionName).toMatch(/^batch-\d{8}T\d{6}Z-1$/)
    expect(JSON.parse(batch?.executionInput ?? '')).toEqual({
      trigger: 'batch',
      batchId: 1,
      poisonFileIds: [],
      transform: true,
    })
    expect(await executionNames()).toContain(batch?.executionName)
  })

  test('delivered again changes nothing and starts nothing', async () => {
    const records = await putOrders(3)
    await ingest(...records)
    const before = await ledgerRows()

    expect(await ingest(...records, ...records)).toEqual({ batchItemFailures: [] })

    expect(await ledgerRows()).toEqual(before)
    expect(await documentCount()).toBe(3)
    const [, second] = await ledger.database.select().from(batches).orderBy(asc(batches.id))
    expect(second).toMatchObject({ files: 3, loaded: 0, repeated: 3, executionName: null, startedAt: null })
  })

  test('delivered twice at the same time is loaded once', async () => {
    const records = await putOrders(50)
    const other = await makeDependencies()
    const event = sqsEvent(...records.map((record) => s3Message(record)))
    const responses = await Promise.all([
      ingestBatch(dependencies, event, lambdaContext()),
      ingestBatch(other, event, lambdaContext()),
    ])

    expect(responses).toEqual([{ batchItemFailures: [] }, { batchItemFailures: [] }])
    expect(await documentCount()).toBe(50)
    const rows = await ledger.database.select().from(batches)
    expect(rows.reduce((sum, row) => sum + row.loaded, 0)).toBe(50)
    expect(rows.reduce((sum, row) => sum + row.repeated, 0)).toBe(50)
  })

  test('may come with several records in one message', async () => {
    const records = await putOrders(3)
    const response = await ingestBatch(dependencies, sqsEvent(s3Message(...records)), lambdaContext())
    expect(response).toEqual({ batchItemFailures: [] })
    expect(await documentCount()).toBe(3)
  })
})

describe('a version of an object', () => {
  test('is read as the event names it, even when a newer one is there; the newer supersedes it', async () => {
    const older = await put('input/orders/1.json', orderText({ order_id: 'older' }))
    const newer = await put('input/orders/1.json', orderText({ order_id: 'newer' }))
    await ingest(newer)
    await ingest(older)
    const states = await ledger.database
      .select({ state: currentFiles.state, order: sql`payload->>'order_id'` })
      .from(currentFiles)
      .innerJoin(documents, eq(documents.fileId, currentFiles.id))
      .orderBy(currentFiles.id)
    expect(states).toEqual([
      { state: 'loaded', order: 'newer' },
      { state: 'superseded', order: 'older' },
    ])
  })

  test('that is gone before it is read is recorded as vanished', async () => {
    const record = await put('input/orders/1.json', orderText())
    await s3.send(
      new DeleteObjectCommand({ Bucket: bucket, Key: 'input/orders/1.json', VersionId: record.s3.object.versionId }),
    )
    expect(await ingest(record)).toEqual({ batchItemFailures: [] })
    expect(await ledgerRows()).toMatchObject([{ status: 'vanished' }])
  })
})

describe('messages that name no object', () => {
  test('are acknowledged, and kept unless they are a test of S3', async () => {
    const event = sqsEvent(
      '{"Event":"s3:TestEvent"}',
      'hello',
      s3Message(await put('input/orders/1.json', orderText())),
    )
    expect(await ingestBatch(dependencies, event, lambdaContext())).toEqual({ batchItemFailures: [] })
    expect(await ledger.database.select().from(messages)).toMatchObject([
      { body: 'hello', reason: 'the body is not JSON', batchId: 1 },
    ])
    expect(await documentCount()).toBe(1)
  })
})

test('a message with a good and an unreadable record loads the one and is kept for the other', async () => {
  const body = s3Message(await put('input/orders/1.json', orderText()), { eventVersion: '9.0' })
  expect(await ingestBatch(dependencies, sqsEvent(body), lambdaContext())).toEqual({ batchItemFailures: [] })
  expect(await ledgerRows()).toMatchObject([{ status: 'loaded' }])
  expect(await ledger.database.select().from(messages)).toMatchObject([
    { body, reason: expect.stringContaining('Records.1.eventVersion is not of major version 2') },
  ])
})

describe('when infrastructure fails', () => {
  test('a missing bucket sends back only its own message', async () => {
    const good = await put('input/orders/1.json', orderText())
    const lost = structuredClone(good)
    lost.s3.bucket.name = 'no-such-bucket'
    const event = sqsEvent(s3Message(lost), s3Message(good))

    const response = await ingestBatch(dependencies, event, lambdaContext())

    expect(response.batchItemFailures).toEqual([{ itemIdentifier: event.Records[0]?.messageId }])
    expect(await ledgerRows()).toMatchObject([{ status: 'loaded' }])
  })

  test('a body cut off by the network is never taken for bad JSON', async () => {
    const record = await put('input/orders/1.json', orderText())
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-length': 1000 })
      response.write('{"order_id":', () => response.destroy())
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { s3: cut } = awsClients(`http://127.0.0.1:${portOf(server)}`)
    dependencies = { ...dependencies, reader: { ...dependencies.reader, s3: cut } }

    const response = await ingest(record)

    expect(response.batchItemFailures).toHaveLength(1)
    expect(await ledgerRows()).toEqual([])
    server.close()
  })

  test('a database that refuses the transaction sends every message back, and nothing is written', async () => {
    const records = await putOrders(3)
    await ledger.database.execute(sql`alter table raw.documents rename to hidden`)
    expect((await ingest(...records)).batchItemFailures).toHaveLength(3)
    await ledger.database.execute(sql`alter table raw.hidden rename to documents`)
    expect(await ledgerRows()).toEqual([])
    expect(await ledger.database.$count(batches)).toBe(0)

    expect(await ingest(...records)).toEqual({ batchItemFailures: [] })
    expect(await documentCount()).toBe(3)
  })

  test('a connection that the server ended is replaced within the invocation', async () => {
    await ingest(...(await putOrders(1)))
    await ledger.database.execute(
      sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'test-ingest' and datname = current_database()`,
    )
    expect(await ingest(await put('input/orders/next.json', orderText()))).toEqual({ batchItemFailures: [] })
    expect(await documentCount()).toBe(2)
  })

  test('a crash between commit and StartExecution leaves a row that says what to start', async () => {
    const { sfn: unreachable } = awsClients('http://127.0.0.1:1')
    dependencies = { ...dependencies, sfn: unreachable }
    const response = await ingest(await put('input/orders/1.json', orderText()), await put('input/orders/2.json', '[]'))
    expect(response).toEqual({ batchItemFailures: [] })

    const [batch] = await ledger.database.select().from(batches)
    expect(batch).toMatchObject({ loaded: 1, poison: 1, startedAt: null })
    const { executionName: name, executionInput: input } = batch ?? {}
    if (!name || !input) throw new Error('the row does not say what to start')
    await sfn.send(new StartExecutionCommand({ stateMachineArn, name, input }))
    expect(await executionNames()).toContain(name)
  })

  test('a start that is already known counts as started', async () => {
    const execution = { name: 'batch-20261124T120000Z-1', input: '{"trigger":"batch"}' }
    // The same name with another input is refused for certain, running or not.
    await sfn.send(new StartExecutionCommand({ stateMachineArn, name: execution.name, input: '{}' }))
    expect(await startExecution(sfn, stateMachineArn, execution)).toBe(true)
  })
})

test('a second connection is never opened by a batch', async () => {
  const records = await putOrders(20)
  const watcher = openDatabase(ledger.credentials, 'watcher')
  let most = 0
  const watching = setInterval(async () => {
    const seen = await watcher.execute<{ count: string }>(
      sql`select count(*) as count from pg_stat_activity where application_name = 'test-ingest' and datname = current_database()`,
    )
    most = Math.max(most, Number(seen.rows[0]?.count))
  }, 5)
  await ingest(...records)
  clearInterval(watching)
  await watcher.$client.end()
  expect(most).toBeLessThanOrEqual(1)
})
