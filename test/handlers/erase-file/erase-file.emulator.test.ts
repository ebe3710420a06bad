import { DeleteObjectCommand } from '@aws-sdk/client-s3'
import { eq } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { claimDeadLetters, countDeadLetters } from '../../../db/dead-letters.ts'
import { findForgottenPoison } from '../../../db/files.ts'
import { listRefusals } from '../../../db/refusals.ts'
import { selectForReplay } from '../../../db/replays.ts'
import { files, messages, replays } from '../../../db/schema.ts'
import { parseErasureRequest } from '../../../handlers/erase-file/contract.ts'
import { openErasure, WHO } from '../../support/open-erasure.ts'
import { orderText } from '../../support/orders.ts'

const KEY = 'input/orders/of ada+ü.json'
/** Begins with the other, and is another. */
const NEIGHBOUR = `${KEY}.old.json`

const NOTHING_REMOVED = { versions: 0, copies: 0, documents: 0, reasons: 0, messages: 0, files: 0 }

test('everything of a key is removed, the ledger says that it was, and who had it done, and nothing else is touched', async () => {
  await using open = await openErasure()
  const { database, s3, bucket } = open
  await open.ingest(await open.put(KEY, orderText()), await open.put(KEY, '{"order_id":"secret"}'))
  await open.ingest(await open.put(KEY, orderText({ order_id: 'newer' })), await open.put(NEIGHBOUR, orderText()))
  const badId = (await open.ledgerRows()).find(({ status }) => status === 'poison')?.id ?? 0
  const neighbourId = (await open.ledgerRows()).find(({ key }) => key === NEIGHBOUR)?.id ?? 0
  await open.quarantine(badId)
  await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: KEY }))
  const encoded = encodeURIComponent(KEY).replaceAll('%20', '+').replaceAll('%2F', '/')
  await database.insert(messages).values([
    { messageId: 'plain', body: `about ${KEY}`, reason: 'not JSON' },
    { messageId: 'encoded', body: `{"key":"${encoded}","secret":1}`, reason: 'no S3 event' },
    { messageId: 'other', body: 'about something else', reason: 'not JSON' },
  ])

  const counts = { versions: 4, copies: 2, documents: 2, reasons: 1, messages: 2, files: 3 }
  expect(await open.preview(KEY)).toEqual({ bucket, ...counts, cutShort: 0 })
  const outcome = await open.erase(KEY)

  expect(outcome).toEqual({ erasureId: 1, bucket, ...counts, cameIn: 0, copiesPending: 0 })
  expect(await open.keysInBucket()).toEqual([NEIGHBOUR])
  expect((await open.states()).toSorted()).toEqual(['erased', 'erased', 'erased', 'loaded'])
  expect(await open.documentIds()).toEqual([neighbourId])
  expect((await open.ledgerRows()).find(({ id }) => id === badId)?.reason?.issues[0]).toMatchObject({
    ...{ path: '$.ordered_at', rule: 'invalid_type', found: 'erased' },
  })
  expect(await database.select({ id: messages.messageId, body: messages.body }).from(messages)).toEqual(
    expect.arrayContaining([
      { id: 'plain', body: 'erased' },
      { id: 'encoded', body: 'erased' },
      { id: 'other', body: 'about something else' },
    ]),
  )
  expect(await open.audit()).toEqual([
    { id: 1, bucket, key: KEY, ...WHO, ...counts, begunAt: expect.any(Date), completedAt: expect.any(Date) },
  ])
})

test('done again, it removes nothing and changes nothing but the audit', async () => {
  await using open = await openErasure()
  await open.ingest(await open.put(KEY, orderText()), await open.put(KEY, '[]'))
  await open.erase(KEY)
  const before = await open.ledgerRows()

  expect(await open.preview(KEY)).toMatchObject(NOTHING_REMOVED)
  expect(await open.erase(KEY)).toMatchObject({ erasureId: 2, ...NOTHING_REMOVED, cameIn: 0, copiesPending: 0 })
  expect(await open.ledgerRows()).toEqual(before)
})

describe('what was erased is not loaded again', () => {
  test('when its event is delivered again', async () => {
    await using open = await openErasure()
    const events = [await open.put(KEY, orderText()), await open.put(KEY, '[]')]
    await open.ingest(...events)
    await open.erase(KEY)

    expect(await open.ingest(...events)).toEqual({ batchItemFailures: [] })
    expect(await open.states()).toEqual(['erased', 'erased'])
    expect(await open.documentIds()).toEqual([])
  })

  test('when its event comes only afterwards', async () => {
    await using open = await openErasure()
    const event = await open.put(KEY, orderText())
    expect(await open.erase(KEY)).toMatchObject({ versions: 1, files: 1, documents: 0 })

    expect(await open.ingest(event)).toEqual({ batchItemFailures: [] })
    expect(await open.states()).toEqual(['erased'])
    expect(await open.documentIds()).toEqual([])
  })

  test('when it was read before, and is written after', async () => {
    await using open = await openErasure()
    const event = await open.put(KEY, orderText())
    const { withDatabase } = open.dependencies
    let erasing: Promise<unknown> | undefined
    const late: typeof withDatabase = async (work, end) => {
      erasing ??= open.erase(KEY)
      await erasing
      return await withDatabase(work, end)
    }

    const answer = await open.ingestBodies([JSON.stringify({ Records: [event] })], { withDatabase: late })

    expect(answer).toEqual({ batchItemFailures: [] })
    expect(await open.keysInBucket()).toEqual([])
    expect(await open.states()).toEqual(['erased'])
    expect(await open.documentIds()).toEqual([])
  })

  test('when it is being written at that moment: the erasure waits, and removes it', async () => {
    await using open = await openErasure()
    const event = await open.put(KEY, orderText())
    const { withDatabase } = open.dependencies
    const written = Promise.withResolvers<void>()
    const slow: typeof withDatabase = (work, end) =>
      withDatabase(async (database) => {
        const transaction: typeof database.transaction = (inside, options) =>
          database.transaction(async (session) => {
            const result = await inside(session)
            written.resolve()
            await new Promise((done) => setTimeout(done, 500))
            return result
          }, options)
        return await work(Object.assign(Object.create(database), { transaction }))
      }, end)

    const ingesting = open.ingestBodies([JSON.stringify({ Records: [event] })], { withDatabase: slow })
    await written.promise
    expect(await open.documentIds()).toEqual([])
    const outcome = await open.erase(KEY)

    expect(await ingesting).toEqual({ batchItemFailures: [] })
    expect(outcome).toMatchObject({ documents: 1, files: 1, cameIn: 0 })
    expect(await open.states()).toEqual(['erased'])
    expect(await open.documentIds()).toEqual([])
  })

  test('by a replay that had read it before', async () => {
    await using open = await openErasure()
    const event = await open.put(KEY, orderText())
    await open.ingest(event)
    // As if the contract of yesterday had refused it.
    await open.database.update(files).set({ status: 'poison' })
    await open.database.execute('delete from raw.documents')
    await open.quarantine(1)
    await open.database.insert(replays).values({
      ...{ executionName: 'replay', requestedBy: 'arn:ann', why: 'contract 2', selection: {} },
    })
    const { withDatabase } = open.dependencies
    let questions = 0
    const late: typeof withDatabase = async (work, end) => {
      // The first asks whether it is known, the second writes what was read.
      if (++questions === 2) await open.erase(KEY)
      return await withDatabase(work, end)
    }
    const replay = { id: 1, copyKey: 'quarantine/orders/1.json' }

    await open.ingestBodies([JSON.stringify({ Records: [event], replay })], { withDatabase: late })

    expect(questions).toBeGreaterThan(1)
    expect(await open.states()).toEqual(['erased'])
    expect(await open.documentIds()).toEqual([])
    expect(await open.keysInBucket()).toEqual([])
  })
})

describe('an erasure', () => {
  test('that was cut short has marked the ledger and the audit, and the next one completes both', async () => {
    await using open = await openErasure()
    await open.ingest(await open.put(KEY, orderText()), await open.put(KEY, orderText()))
    const s3 = Object.create(open.s3)
    s3.send = (command: object) =>
      command instanceof DeleteObjectCommand ? Promise.reject(new Error('S3 is ill')) : open.s3.send(command as never)

    await expect(open.erase(KEY, { s3 })).rejects.toThrow(expect.objectContaining({ name: 'ErasureIncomplete' }))
    expect(await open.states()).toEqual(['erased', 'erased'])
    expect(await open.audit()).toMatchObject([{ completedAt: null }])
    expect(await open.preview(KEY)).toMatchObject({ versions: 2, files: 0, cutShort: 1 })

    expect(await open.erase(KEY)).toMatchObject({ versions: 2, documents: 0, files: 0 })
    expect(await open.keysInBucket()).toEqual([])
    expect(await open.audit()).toMatchObject([{ completedAt: expect.any(Date) }, { completedAt: expect.any(Date) }])
  })

  test('tells of a version that was put while it ran, which the next one removes', async () => {
    await using open = await openErasure()
    await open.ingest(await open.put(KEY, orderText()))
    const s3 = Object.create(open.s3)
    s3.send = async (command: object) => {
      if (command instanceof DeleteObjectCommand) await open.put(KEY, orderText({ order_id: 'again' }))
      return await open.s3.send(command as never)
    }

    expect(await open.erase(KEY, { s3 })).toMatchObject({ versions: 1, cameIn: 1 })
    expect(await open.erase(KEY)).toMatchObject({ versions: 1, files: 1, cameIn: 0 })
    expect(await open.keysInBucket()).toEqual([])
  })

  test('tells of a copy that may be in the making, which the next one removes', async () => {
    await using open = await openErasure()
    await open.ingest(await open.put(KEY, '[]'))
    const s3 = Object.create(open.s3)
    let isCopied = false
    s3.send = async (command: object) => {
      // The Task had begun before, and ends after the copies were listed.
      if (command instanceof DeleteObjectCommand && !isCopied) {
        isCopied = true
        await open.s3.send(command as never)
        for (const name of ['1.json', '1.reason.json']) await open.put(`quarantine/orders/${name}`, '[]')
        return
      }
      return await open.s3.send(command as never)
    }
    expect(await open.erase(KEY, { s3 })).toMatchObject({ versions: 1, copies: 2, copiesPending: 1 })
    await open.put('quarantine/orders/1.json', '[]')

    expect(await open.erase(KEY)).toMatchObject({ versions: 0, copies: 1, copiesPending: 0 })
    expect(await open.keysInBucket()).toEqual([])
  })

  test.each([
    [{ key: 'quarantine/orders/1.json', ...WHO }, /key must begin with input\//],
    [{ preview: true, key: '' }, /key must begin with input\//],
    [{ key: KEY, requestedBy: 'arn:ann' }, /the request:/],
    [null, /the request:/],
  ])('is refused for %j', (input, message) => {
    expect(() => parseErasureRequest(input)).toThrow(message)
  })
})

test('what was erased is neither copied to quarantine, nor drained, nor named by a sweep, nor replayed, nor listed', async () => {
  await using open = await openErasure()
  // One after the other, for their ids.
  await open.ingest(await open.put(KEY, '[]'))
  await open.ingest(await open.put(KEY, '[1]'))
  await open.database.update(files).set({ status: 'dead_letter' }).where(eq(files.id, 2))
  await open.erase(KEY)
  await open.database.update(files).set({ changedAt: new Date(0) })

  expect(await open.quarantine(1)).toEqual({ quarantined: 0, withoutCopy: 0, unchanged: 1 })
  expect(await open.keysInBucket()).toEqual([])
  const { database } = open
  expect(await countDeadLetters(database)).toEqual({ total: 0, unclaimed: 0 })
  expect(await claimDeadLetters(database, { drain: 'd', round: 0, limit: 9, leaseSeconds: 9 })).toEqual([])
  expect(await findForgottenPoison(database, 5, 9)).toEqual([])
  expect(await selectForReplay(database, { prefix: 'input/' }, { afterId: 0, limit: 9 })).toEqual([])
  expect(await listRefusals(database, {}, 9)).toEqual([])
})
