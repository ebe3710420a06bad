import { asc } from 'drizzle-orm'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { documents, files } from '../../../db/schema.ts'
import { awsClients, createStateMachine, createVersionedBucket, putObject } from '../../support/aws.ts'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { deliver, FunctionProcess } from '../../support/function-process.ts'
import { ingestEnvironment } from '../../support/ingest.ts'
import { orderText } from '../../support/orders.ts'
import { s3Message } from '../../support/s3-events.ts'

const { s3, secrets, sfn } = awsClients()
let ledger: TestDatabase
let bucket: string
let ingest: FunctionProcess

beforeEach(async () => {
  ledger = await createDatabase()
  bucket = await createVersionedBucket(s3)
})
afterEach(async () => {
  ingest.stop()
  await ledger[Symbol.asyncDispose]()
})
afterAll(() => {
  for (const client of [s3, secrets, sfn]) client.destroy()
})

async function startFunction(heapMegabytes?: number): Promise<FunctionProcess> {
  return new FunctionProcess({
    environment: await ingestEnvironment({ secrets }, ledger, await createStateMachine(sfn)),
    ...(heapMegabytes !== undefined && { heapMegabytes }),
  })
}

const put = async (name: string, fields: Record<string, unknown> = {}) =>
  s3Message(await putObject(s3, bucket, `input/orders/${name}.json`, orderText(fields)))

test.each([
  { kills: 'exit', heapMegabytes: undefined },
  { kills: 'heap', heapMegabytes: 200 },
])(
  'a file that kills the process ($kills) among 99: all 99 committed by the third receive, the killer found',
  async ({ kills, heapMegabytes }) => {
    ingest = await startFunction(heapMegabytes)
    const good = await Promise.all(Array.from({ length: 99 }, (_, n) => put(`${n}`)))
    const killer = await put('killer', { kills })

    // Which receive brings the 99 is seen by looking after each.
    const loadedAfter: number[] = []
    const watched = {
      invoke: async (...[records]: Parameters<FunctionProcess['invoke']>) => {
        const response = await ingest.invoke(records)
        loadedAfter.push(await ledger.database.$count(documents))
        return response
      },
    }
    const { deadLetters, receives } = await deliver(watched, good.toSpliced(50, 0, killer))

    expect(deadLetters).toHaveLength(0)
    expect(loadedAfter[2]).toBe(99)
    expect(Math.max(...receives)).toBe(5)
    const rows = await ledger.database.select().from(files).orderBy(asc(files.id))
    expect(rows.filter((row) => row.status === 'loaded')).toHaveLength(99)
    const [found] = rows.filter((row) => row.status !== 'loaded')
    expect(found).toMatchObject({
      key: 'input/orders/killer.json',
      status: 'poison',
      reason: { kind: 'crashes-loader', issues: [{ found: '3 that never ended' }] },
      attemptsBegun: 3,
      attemptsEnded: 0,
    })
    expect(rows.filter((row) => row.status === 'loaded' && row.attemptsBegun !== row.attemptsEnded)).toEqual([])
  },
)
