import { sql } from 'drizzle-orm'
import { afterAll, expect, test, vi } from 'vitest'
import { openDatabase } from '../../db/client.ts'
import { documents, files } from '../../db/schema.ts'
import { awsClients, createStateMachine, createVersionedBucket, putObject } from '../support/aws.ts'
import { createDatabase } from '../support/database.ts'
import { FunctionProcess } from '../support/function-process.ts'
import { ingestEnvironment } from '../support/ingest.ts'
import { orderText } from '../support/orders.ts'
import { s3Message, sqsRecord } from '../support/s3-events.ts'

const clients = awsClients()
const { s3, sfn } = clients
afterAll(() => {
  for (const client of Object.values(clients)) client.destroy()
})

test('a worker frozen inside its transaction loses its locks; the redelivery commits; thawed, it changes nothing', async () => {
  await using ledger = await createDatabase()
  const bucket = await createVersionedBucket(s3)
  const options = { environment: await ingestEnvironment(clients, ledger, await createStateMachine(sfn)) }
  const frozen = new FunctionProcess(options)
  const other = new FunctionProcess(options)
  const record = sqsRecord(s3Message(await putObject(s3, bucket, 'input/orders/1.json', orderText())))
  const blocker = openDatabase(ledger.credentials, 'blocker')
  const sessions = async () => {
    const found = await ledger.database.execute<{ waiting: boolean }>(sql`
      select wait_event_type = 'Lock' as waiting from pg_stat_activity
      where application_name = 'sluice-ingest' and datname = current_database()`)
    return found.rows
  }

  // The worker is held within its transaction, after the ledger and before the documents, and frozen there.
  let answer: ReturnType<FunctionProcess['invoke']> | undefined
  await blocker.transaction(async (transaction) => {
    await transaction.execute(sql`lock table raw.documents in access exclusive mode`)
    answer = frozen.invoke([record])
    await vi.waitFor(async () => expect(await sessions()).toEqual([{ waiting: true }]), { timeout: 20_000 })
    process.kill(frozen.pid ?? 0, 'SIGSTOP')
  })
  await blocker.$client.end()

  // The server ends the idle transaction after 10 s; a redelivery comes after minutes.
  await vi.waitFor(async () => expect(await sessions()).toEqual([]), { timeout: 30_000, interval: 250 })
  record.attributes.ApproximateReceiveCount = '2'
  expect(await other.invoke([record])).toEqual({ batchItemFailures: [] })
  expect(await ledger.database.select().from(files)).toMatchObject([
    { status: 'loaded', attemptsBegun: 1, attemptsEnded: 1 },
  ])

  process.kill(frozen.pid ?? 0, 'SIGCONT')
  expect(await answer).toEqual({ batchItemFailures: [] })
  expect(await ledger.database.select().from(files)).toMatchObject([{ status: 'loaded' }])
  expect(await ledger.database.$count(documents)).toBe(1)
  for (const worker of [frozen, other]) worker.stop()
})
