import { DeleteObjectCommand } from '@aws-sdk/client-s3'
import {
  CreateQueueCommand,
  ReceiveMessageCommand,
  type SendMessageBatchCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import { eq, sql } from 'drizzle-orm'
import pLimit from 'p-limit'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { recordFiles } from '../../../db/files.ts'
import { files, replays } from '../../../db/schema.ts'
import { databaseFromSecret } from '../../../handlers/database.ts'
import { ingestBatch } from '../../../handlers/ingest/ingest-batch.ts'
import { replayNextPage } from '../../../handlers/replay-files/replay-files.ts'
import { tryNextPage } from '../../../handlers/replay-files/try-files.ts'
import { parseMessage } from '../../../handlers/s3-event.ts'
import {
  awsClients,
  createStateMachine,
  createVersionedBucket,
  databaseEnvironment,
  putObject,
} from '../../support/aws.ts'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { ingestDependencies } from '../../support/ingest.ts'
import { fileRecord } from '../../support/ledger.ts'
import { orderText } from '../../support/orders.ts'
import { lambdaContext, s3Message, sqsEvent } from '../../support/s3-events.ts'

const clients = awsClients()
const { s3, secrets, sfn, sqs } = clients
let ledger: TestDatabase
let bucket: string
let withDatabase: ReturnType<typeof databaseFromSecret>
let queueUrl: string

beforeEach(async () => {
  ledger = await createDatabase()
  bucket = await createVersionedBucket(s3)
  const environment = await databaseEnvironment(secrets, ledger.credentialsOf('maintenance'))
  withDatabase = databaseFromSecret(secrets, environment, 'test-replay')
  const created = await sqs.send(new CreateQueueCommand({ QueueName: `replay-${Date.now()}` }))
  queueUrl = created.QueueUrl ?? ''
})
afterEach(() => ledger[Symbol.asyncDispose]())
afterAll(() => {
  for (const client of [s3, secrets, sfn, sqs]) client.destroy()
})

const request = (selection = {}) => ({
  execution: 'replay-1',
  requestedBy: 'arn:aws:iam::1:user/a',
  why: 'the contract was wrong',
  selection,
})
const replayPage = (selection = {}) => replayNextPage({ sqs, queueUrl, withDatabase }, request(selection))

async function receivedBodies(): Promise<string[]> {
  const bodies: string[] = []
  for (;;) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }))
    if (Messages.length === 0) return bodies
    bodies.push(...Messages.map(({ Body = '' }) => Body))
  }
}

/** Puts a file and has it refused by a contract that is no longer in force. */
async function refused(name: string, body: string, quarantineKey: string | null = null) {
  const record = await putObject(s3, bucket, `input/orders/${name}.json`, body)
  const { versionId = '', sequencer } = record.s3.object
  const reason = { kind: 'contract', contractVersion: 0, issues: [], issuesOmitted: 0 }
  const known = { bucket, key: `input/orders/${name}.json`, versionId, sequencer, reason, quarantineKey }
  await recordFiles(ledger.database, [
    fileRecord({ ...known, sizeBytes: body.length, eventAt: new Date('2026-11-01T00:00:00Z'), status: 'quarantined' }),
  ])
  return record
}

const ingest = async (bodies: string[], receives = 1) => {
  const event = sqsEvent(...bodies)
  for (const record of event.Records) record.attributes.ApproximateReceiveCount = String(receives)
  const dependencies = await ingestDependencies(clients, ledger, await createStateMachine(sfn))
  return await ingestBatch(dependencies, event, lambdaContext())
}
const rows = () => ledger.database.select().from(files).orderBy(files.key)

describe('a replay', () => {
  test('sends the events of the selection as they were, is audited, and what it loads is loaded', async () => {
    await refused('a b+ü', orderText())
    await refused('still-bad', '{}', 'quarantine/orders/2.json')

    expect(await replayPage()).toEqual({ replayId: 1, filesSent: 2, isDone: true })

    const bodies = await receivedBodies()
    expect(bodies.flatMap((body) => parseMessage(body).objects)).toMatchObject([
      { key: 'input/orders/a b+ü.json', eventAt: new Date('2026-11-01T00:00:00Z'), replay: { id: 1, copyKey: null } },
      { key: 'input/orders/still-bad.json', replay: { id: 1, copyKey: 'quarantine/orders/2.json' } },
    ])
    expect(await ledger.database.select().from(replays)).toMatchObject([
      {
        requestedBy: 'arn:aws:iam::1:user/a',
        why: 'the contract was wrong',
        filesSent: 2,
        finishedAt: expect.any(Date),
      },
    ])

    expect(await ingest(bodies)).toEqual({ batchItemFailures: [] })
    expect(await rows()).toMatchObject([
      { status: 'loaded', reason: null, replayId: 1, contractVersion: 1 },
      { status: 'quarantined', reason: { contractVersion: 1 }, quarantineKey: 'quarantine/orders/2.json', replayId: 1 },
    ])
  })

  test('of a version that is gone loads its quarantined copy', async () => {
    const record = await refused('gone', orderText(), 'quarantine/orders/1.json')
    await putObject(s3, bucket, 'quarantine/orders/1.json', orderText({ order_id: 'from the copy' }))
    await s3.send(
      new DeleteObjectCommand({ Bucket: bucket, Key: 'input/orders/gone.json', VersionId: record.s3.object.versionId }),
    )
    await replayPage()
    await ingest(await receivedBodies())
    expect(await rows()).toMatchObject([{ status: 'loaded' }])
    const { rows: stored } = await ledger.database.execute(sql`select payload ->> 'order_id' as id from raw.documents`)
    expect(stored).toEqual([{ id: 'from the copy' }])
  })

  test('that met an ill database at its first receive is done at the second, and known at the third', async () => {
    await refused('a', orderText())
    await refused('still-bad', '{}')
    await replayPage()
    const bodies = await receivedBodies()
    await ledger.database.execute(sql`alter table ingest.batches rename to hidden`)
    expect((await ingest(bodies)).batchItemFailures).toHaveLength(2)
    await ledger.database.execute(sql`alter table ingest.hidden rename to batches`)

    expect(await ingest(bodies, 2)).toEqual({ batchItemFailures: [] })

    const done = await rows()
    expect(done).toMatchObject([
      { status: 'loaded', replayId: 1 },
      { status: 'quarantined', replayId: 1, reason: { contractVersion: 1 } },
    ])
    expect(await ingest(bodies, 3)).toEqual({ batchItemFailures: [] })
    expect(await rows()).toEqual(done)
  })

  test('of a loaded version counts as already loaded', async () => {
    const record = await putObject(s3, bucket, 'input/orders/1.json', orderText())
    await ingest([s3Message(record)])
    const before = await rows()
    await replayPage({ status: 'loaded' })
    await ingest(await receivedBodies())
    expect(await rows()).toEqual(before)
  })

  test.each([
    [{ source: 'github' }, 0],
    [{ prefix: 'input/orders/a' }, 1],
    [{ reason: 'contract' }, 2],
    [{ reason: 'empty' }, 0],
    [{ since: '2026-11-01T00:00:00Z', until: '2026-11-01T00:00:01Z' }, 2],
    [{ until: '2026-11-01T00:00:00Z' }, 0],
    [{ status: 'vanished' }, 0],
  ])('takes by %j %i files', async (selection, count) => {
    await refused('a', orderText())
    await refused('b', orderText())
    expect((await replayPage(selection)).filesSent).toBe(count)
  })

  test('repeated after it was done sends nothing', async () => {
    await refused('a', orderText())
    await replayPage()
    await receivedBodies()
    expect(await replayPage()).toEqual({ replayId: 1, filesSent: 1, isDone: true })
    expect(await receivedBodies()).toEqual([])
  })

  test('of 125,000 files goes page by page, and after a lost page goes on where it was', async () => {
    const total = 125_000
    await ledger.database.execute(sql`
      insert into ingest.files (bucket, key, version_id, source, status)
      select 'landing', 'input/orders/' || n || '.json', 'v', 'orders', 'quarantined' from generate_series(1, ${total}) n`)
    const sent = new Set<string>()
    let calls = 0
    // Counts instead of queueing: 12,500 sends are a minute of the emulator's time and none of what is tested here.
    const counting = {
      send: async (command: SendMessageBatchCommand) => {
        if (++calls === 30) throw new Error('the connection broke in the middle of a page')
        for (const { MessageBody = '' } of command.input.Entries ?? []) {
          for (const { key } of parseMessage(MessageBody).objects) sent.add(key)
        }
        return {}
      },
    } as unknown as SQSClient
    const dependencies = { sqs: counting, queueUrl, withDatabase }

    let pages = 0
    for (let isDone = false; !isDone; pages++) {
      ;({ isDone } = await replayNextPage(dependencies, request()).catch(() => ({ isDone: false })))
    }

    expect(sent.size).toBe(total)
    expect(pages).toBe(252)
    expect(await ledger.database.select().from(replays)).toMatchObject([{ filesSent: total }])
  })
})

describe('a dry run', () => {
  test('says what would become of each file now, PostgreSQL included, and changes nothing', async () => {
    await refused('1-good', orderText())
    await refused('2-bad', '{}')
    await refused('3-nul', orderText({ order_id: 'a\0b' }))
    const before = await rows()

    const trial = await tryNextPage(
      { reader: { s3, limit: pLimit(4) }, withDatabase },
      {},
      0,
      AbortSignal.timeout(20_000),
    )

    expect(trial.files).toMatchObject([
      { key: 'input/orders/1-good.json', outcome: 'loaded', reason: null },
      { key: 'input/orders/2-bad.json', outcome: 'poison', reason: { kind: 'contract' } },
      { key: 'input/orders/3-nul.json', outcome: 'poison', reason: { kind: 'database-refused' } },
    ])
    expect(trial.nextAfterId).toBeNull()
    expect(await rows()).toEqual(before)
    expect(await ledger.database.$count(replays, eq(replays.id, 1))).toBe(0)
  })
})
