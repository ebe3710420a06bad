import { CopyObjectCommand } from '@aws-sdk/client-s3'
import { eq, ne } from 'drizzle-orm'
import { afterAll, expect, test } from 'vitest'
import { documents, files } from '../../db/schema.ts'
import { OBJECT_BYTES_MAX } from '../../handlers/limits.ts'
import { awsClients, createStateMachine, createVersionedBucket, putObject } from '../support/aws.ts'
import { createDatabase } from '../support/database.ts'
import { deliver, FunctionProcess } from '../support/function-process.ts'
import { ingestEnvironment } from '../support/ingest.ts'
import { orderText } from '../support/orders.ts'
import { s3Message, s3Record } from '../support/s3-events.ts'

const clients = awsClients()
const { s3, sfn } = clients
afterAll(() => {
  for (const client of Object.values(clients)) client.destroy()
})

/** An order of exactly 32 MiB, nearly all of it lines: the shape that takes the most memory to parse. */
function largestOrder(): string {
  const line = { sku: 'S-0001', quantity: 1, unit_price: 9.95 }
  const count = Math.floor((OBJECT_BYTES_MAX - 1_000) / (JSON.stringify(line).length + 1))
  const text = orderText({ lines: Array(count).fill(line) })
  return text + ' '.repeat(OBJECT_BYTES_MAX - text.length)
}

/** Of the deployed function; `infra/app.ts` gives it one vCPU's worth. */
const FUNCTION_MEGABYTES = 1_769

test('100 files of 32 MiB in one batch are all loaded, none dead-lettered, within the memory of the function', async () => {
  await using ledger = await createDatabase()
  const bucket = await createVersionedBucket(s3)
  const body = largestOrder()
  await putObject(s3, bucket, 'input/orders/0.json', body)
  const messages = await Promise.all(
    Array.from({ length: 100 }, async (_, n) => {
      const key = `input/orders/copy-${n}.json`
      const copy = new CopyObjectCommand({ Bucket: bucket, Key: key, CopySource: `${bucket}/input/orders/0.json` })
      const { VersionId: versionId } = await s3.send(copy)
      return s3Message(s3Record({ bucket, key, versionId, size: body.length }))
    }),
  )
  const ingest = new FunctionProcess({
    environment: await ingestEnvironment(clients, ledger, await createStateMachine(sfn)),
  })

  const { deadLetters, receives } = await deliver(ingest, messages)
  ingest.stop()

  console.log(`100 x 32 MiB: ${Math.max(...receives)} receives, peak ${Math.round(ingest.peakMegabytes)} MB`)
  expect(deadLetters).toHaveLength(0)
  expect(await ledger.database.$count(documents)).toBe(100)
  expect(await ledger.database.$count(files, ne(files.status, 'loaded'))).toBe(0)
  expect(await ledger.database.$count(files, eq(files.status, 'loaded'))).toBe(100)
  expect(ingest.peakMegabytes).toBeLessThan(FUNCTION_MEGABYTES)
})
