import { expect, test, vi } from 'vitest'
import { recordFiles } from '../../../db/files.ts'
import { messages } from '../../../db/schema.ts'
import type { WithDatabase } from '../../../handlers/database.ts'
import { parseMessage } from '../../../handlers/s3-event.ts'
import { awsClients } from '../../support/aws.ts'
import { fileRecord } from '../../support/ledger.ts'
import { openDrain } from '../../support/open-drain.ts'
import { s3Message, s3Record, withoutSequencer } from '../../support/s3-events.ts'

/** A client whose deletes fail, as when the process dies before them. */
function withoutDeletes() {
  const { sqs } = awsClients()
  sqs.middlewareStack.add((next, { commandName }) => async (request) => {
    if (commandName === 'DeleteMessageBatchCommand') throw new Error('the process died')
    return await next(request)
  })
  return sqs
}

const empty = { visible: 0, hidden: 0 }

// Each waits for an empty queue, and has one of its own.
test.concurrent('a dead letter is in the ledger, with all that its event says, and then no longer in the queue', async () => {
  await using drain = await openDrain()
  const record = s3Record({ key: 'input/orders/a b+ü.json', versionId: 'v1', sequencer: '0A', size: 12 })
  await drain.die(s3Message(record))

  expect(await drain.collect()).toEqual({ collected: 1, isDrained: true })

  expect(await drain.ledgerRows()).toMatchObject([
    {
      bucket: 'landing',
      key: 'input/orders/a b+ü.json',
      versionId: 'v1',
      status: 'dead_letter',
      source: 'orders',
      sequencer: '0A',
      sizeBytes: 12,
      eventAt: new Date('2026-11-24T12:00:00.123Z'),
      claimedBy: null,
    },
  ])
  expect(await drain.queueDepth()).toEqual(empty)
})

test.concurrent('more messages than one receive brings are collected, and an empty queue is none', async () => {
  await using drain = await openDrain()
  await drain.die(...Array.from({ length: 23 }, (_, n) => s3Message(s3Record({ key: `input/orders/${n}.json` }))))

  expect(await drain.collect()).toEqual({ collected: 23, isDrained: true })
  expect(await drain.collect()).toEqual({ collected: 0, isDrained: true })

  expect(await drain.ledgerRows()).toHaveLength(23)
  expect(await drain.queueDepth()).toEqual(empty)
})

test.concurrent('every record of a message is collected, and a version that several name is one row', async () => {
  await using drain = await openDrain()
  const records = ['1', '2', '3'].map((name) => s3Record({ key: `input/orders/${name}.json`, versionId: 'v1' }))
  await drain.die(s3Message(...records), s3Message(records[1] ?? {}))

  expect(await drain.collect()).toEqual({ collected: 2, isDrained: true })

  expect((await drain.ledgerRows()).map((row) => row.status)).toEqual(['dead_letter', 'dead_letter', 'dead_letter'])
})

test.concurrent('a version that an event and a listing name keeps what the event said', async () => {
  await using drain = await openDrain()
  const event = s3Record({ key: 'input/orders/1.json', versionId: 'v1', sequencer: '0A' })
  const listed = s3Message(withoutSequencer(event))
  await drain.die(listed, s3Message(event), listed)

  await drain.collect()

  expect(await drain.ledgerRows()).toMatchObject([{ status: 'dead_letter', sequencer: '0A' }])
})

test.concurrent('a file that no source claims is collected without one', async () => {
  await using drain = await openDrain()
  await drain.die(s3Message(s3Record({ key: 'input/nobody/1.json' })))

  await drain.collect()

  expect(await drain.ledgerRows()).toMatchObject([{ status: 'dead_letter', source: null }])
})

test.concurrent('a version that is settled stays as it is', async () => {
  await using drain = await openDrain()
  const settled = (['loaded', 'quarantined', 'poison', 'vanished'] as const).map((status) => ({
    status,
    record: s3Record({ key: `input/orders/${status}.json` }),
  }))
  await recordFiles(
    drain.database,
    settled.flatMap(({ status, record }) =>
      parseMessage(s3Message(record)).objects.map((object) => fileRecord({ ...object, status })),
    ),
  )
  const before = await drain.ledgerRows()
  await drain.die(...settled.map(({ record }) => s3Message(record)))

  expect(await drain.collect()).toEqual({ collected: 4, isDrained: true })

  expect(await drain.ledgerRows()).toEqual(before)
})

test.concurrent('a crash between the commit and the delete means collecting twice, which is harmless', async () => {
  await using drain = await openDrain()
  await drain.die(s3Message(s3Record()))

  await expect(drain.collect({ sqs: withoutDeletes() })).rejects.toThrow('the process died')
  const before = await drain.ledgerRows()
  expect(before).toMatchObject([{ status: 'dead_letter' }])

  await vi.waitFor(async () => expect(await drain.collect()).toMatchObject({ collected: 1 }), { timeout: 10_000 })
  expect(await drain.ledgerRows()).toEqual(before)
  expect(await drain.queueDepth()).toEqual(empty)
})

test.concurrent('while the database is down nothing is received, so that the alarm stays on', async () => {
  await using drain = await openDrain()
  await drain.die(s3Message(s3Record()))
  const withDatabase: WithDatabase = () => Promise.reject(new Error('the database is down'))

  await expect(drain.collect({ withDatabase })).rejects.toThrow('the database is down')

  expect(await drain.queueDepth()).toEqual({ visible: 1, hidden: 0 })
})

test.concurrent('what the ledger could not take stays in the queue', async () => {
  await using drain = await openDrain()
  await drain.die(s3Message(s3Record()))
  let questions = 0
  const withDatabase: WithDatabase = (work, end) =>
    ++questions > 1 ? Promise.reject(new Error('the database went down')) : drain.withDatabase(work, end)

  await expect(drain.collect({ withDatabase })).rejects.toThrow('the database went down')

  expect(await drain.queueDepth()).toEqual({ visible: 0, hidden: 1 })
  await vi.waitFor(async () => expect(await drain.collect()).toMatchObject({ collected: 1 }), { timeout: 10_000 })
})

test.concurrent('a message from which no object can be read is kept whole, and one of S3 that names none is not', async () => {
  await using drain = await openDrain()
  const bad = { ...s3Record(), eventVersion: '3.0' }
  await drain.die('this is no event', JSON.stringify({ Event: 's3:TestEvent' }), s3Message(s3Record(), bad))

  expect(await drain.collect()).toEqual({ collected: 3, isDrained: true })

  const kept = await drain.database.select().from(messages)
  expect(kept.toSorted((a, b) => a.body.localeCompare(b.body))).toMatchObject([
    { body: expect.stringContaining('Records'), reason: expect.stringContaining('eventVersion'), batchId: null },
    { body: 'this is no event', reason: 'the body is not JSON', batchId: null },
  ])
  expect(await drain.ledgerRows()).toMatchObject([{ status: 'dead_letter' }])
  expect(await drain.queueDepth()).toEqual(empty)
})

test.concurrent('when time is short the rest stays in the queue, and the answer says so', async () => {
  await using drain = await openDrain()
  await drain.die(...Array.from({ length: 15 }, (_, n) => s3Message(s3Record({ key: `input/orders/${n}.json` }))))
  const remaining = [60_000, 10_000]

  const { collected, isDrained } = await drain.collect({}, () => remaining.shift() ?? 0)

  expect(isDrained).toBe(false)
  expect(collected).toBeGreaterThan(0)
  expect(collected).toBeLessThanOrEqual(10)
  expect(await drain.ledgerRows()).toHaveLength(collected)
  expect(await drain.queueDepth()).toEqual({ visible: 15 - collected, hidden: 0 })
})
