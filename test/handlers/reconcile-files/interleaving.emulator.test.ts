/** A backfill meets the events of the same versions: before, after and while they are loaded. */
import { setTimeout as wait } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { currentFiles, documents, files } from '../../../db/schema.ts'
import { ingestBatch } from '../../../handlers/ingest/ingest-batch.ts'
import type { IngestDependencies } from '../../../handlers/ingest/ingest-slice.ts'
import { listVersions } from '../../../handlers/reconcile-files/list-versions.ts'
import { parseMessage, writeMessage } from '../../../handlers/s3-event.ts'
import { awsClients, createStateMachine, createVersionedBucket, putObject } from '../../support/aws.ts'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { ingestDependencies } from '../../support/ingest.ts'
import { orderText } from '../../support/orders.ts'
import { lambdaContext, s3Message, sqsEvent } from '../../support/s3-events.ts'

const clients = awsClients()
const KEY = 'input/orders/1.json'
const VERSIONS = 3

let ledger: TestDatabase
/** Two functions, each with its connection. */
let functions: IngestDependencies[]
/** Of each version, oldest first: its id, and the two messages that tell of it. */
let told: { versionId: string; event: string; found: string }[]

beforeAll(async () => {
  ledger = await createDatabase()
  const stateMachineArn = await createStateMachine(clients.sfn)
  functions = [
    await ingestDependencies(clients, ledger, stateMachineArn),
    await ingestDependencies(clients, ledger, stateMachineArn),
  ]
  const bucket = await createVersionedBucket(clients.s3)
  const events: { versionId: string; event: string }[] = []
  for (let number = 0; number < VERSIONS; number++) {
    // S3 knows seconds, and what it cannot tell apart is another test's.
    if (number > 0) await wait(1_100)
    const record = await putObject(clients.s3, bucket, KEY, orderText({ order_id: `${number}` }))
    events.push({ versionId: record.s3.object.versionId ?? '', event: s3Message(record) })
  }
  const listing = { s3: clients.s3, bucket, prefix: 'input/' }
  const { objects } = await listVersions(listing, null, AbortSignal.timeout(10_000))
  told = events.map(({ versionId, event }) => {
    const object = objects.find((each) => each.versionId === versionId)
    if (object === undefined) throw new Error(`the listing lacks ${versionId}`)
    return { versionId, event, found: writeMessage(object) }
  })
}, 60_000)
afterAll(async () => {
  await ledger[Symbol.asyncDispose]()
  for (const client of Object.values(clients)) client.destroy()
})

interface Step {
  /** Positions in {@link told}, and which of the two messages each is. */
  readonly batches: readonly (readonly { version: number; by: 'event' | 'found' }[])[]
  /** Whether they are received again after a failure: each is then loaded alone. */
  readonly isRedelivered: boolean
}

const message = fc.record({
  version: fc.integer({ min: 0, max: VERSIONS - 1 }),
  by: fc.constantFrom('event' as const, 'found' as const),
})
const batch = fc.array(message, { minLength: 1, maxLength: 4 })
/** One batch, or two at the same time. */
const step: fc.Arbitrary<Step> = fc.record({
  batches: fc.array(batch, { minLength: 1, maxLength: 2 }),
  isRedelivered: fc.boolean(),
})

async function run({ batches, isRedelivered }: Step): Promise<void> {
  const answers = await Promise.all(
    batches.map((messages, index) => {
      const event = sqsEvent(...messages.map(({ version, by }) => told[version]?.[by] ?? ''))
      for (const record of event.Records) record.attributes.ApproximateReceiveCount = isRedelivered ? '2' : '1'
      return ingestBatch(functions[index] as IngestDependencies, event, lambdaContext())
    }),
  )
  for (const { batchItemFailures } of answers) expect(batchItemFailures).toEqual([])
}

test('in whatever order, each version is loaded once, has its sequencer once its event came, and the newest is current', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 5 }), async (steps) => {
      await ledger.database.execute(sql`truncate ingest.files, ingest.batches, raw.documents cascade`)
      const seen = new Set<number>()
      const heard = new Set<number>()
      for (const each of steps) {
        await run(each)
        for (const { version, by } of each.batches.flat()) {
          seen.add(version)
          if (by === 'event') heard.add(version)
        }
        const rows = await ledger.database.select().from(currentFiles)
        const byVersion = new Map(rows.map((row) => [row.versionId, row]))
        const newest = Math.max(...seen)
        const expected = told.map(({ versionId }, version) =>
          seen.has(version)
            ? { versionId, state: version === newest ? 'loaded' : 'superseded', hasSequencer: heard.has(version) }
            : undefined,
        )
        const found = told.map(({ versionId }) => {
          const row = byVersion.get(versionId)
          return row && { versionId, state: row.state, hasSequencer: row.sequencer !== null }
        })
        expect(found).toEqual(expected)
        expect(await ledger.database.$count(documents)).toBe(seen.size)
      }
    }),
    { numRuns: 60 },
  )
}, 120_000)

test('an event that takes its place later is a change for the marts, and counts as no other load', async () => {
  await ledger.database.execute(sql`truncate ingest.files, ingest.batches, raw.documents cascade`)
  await run({ batches: [[{ version: 0, by: 'found' }]], isRedelivered: false })
  const [before] = await ledger.database.select().from(files)
  await run({ batches: [[{ version: 0, by: 'event' }]], isRedelivered: false })
  const [after] = await ledger.database.select().from(files)
  const [sequencer] = parseMessage(told[0]?.event ?? '').objects.map((object) => object.sequencer)

  expect(BigInt(after?.changedXid ?? 0)).toBeGreaterThan(BigInt(before?.changedXid ?? 0))
  expect({ ...after, changedXid: '' }).toMatchObject({
    ...{ status: 'loaded', loadedOn: before?.loadedOn, batchId: before?.batchId, changedAt: before?.changedAt },
    sequencer,
  })
})
