import { DeleteObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { eq } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { beginAttempt } from '../../../db/attempts.ts'
import { recordFiles } from '../../../db/files.ts'
import { batches, documents, files } from '../../../db/schema.ts'
import type { WithDatabase } from '../../../handlers/database.ts'
import { Attempts } from '../../../handlers/ingest/attempts.ts'
import { awsClients } from '../../support/aws.ts'
import { fileRecord } from '../../support/ledger.ts'
import { type OpenDrain, openDrain } from '../../support/open-drain.ts'

/** S3 where nothing listens. */
const s3Down = (drain: OpenDrain) => ({
  reader: { ...drain.ingest.reader, s3: awsClients('http://127.0.0.1:9').s3 },
})

/** S3 that notices when it is read from. */
function s3Watched(onRead: () => void): S3Client {
  const { s3 } = awsClients()
  s3.middlewareStack.add((next) => (request) => {
    onRead()
    return next(request)
  })
  return s3
}

describe('a dead letter', () => {
  test('that is good is loaded, in a batch of its own whose execution is started', async () => {
    await using drain = await openDrain()
    const fileId = await drain.deadLetter('good')

    expect(await drain.load(fileId)).toEqual({ fileId, outcome: 'loaded' })

    expect(await drain.fileOf(fileId)).toMatchObject({ status: 'loaded', attemptsBegun: 1, attemptsEnded: 1 })
    expect(await drain.database.select().from(documents)).toMatchObject([{ fileId, source: 'orders' }])
    expect(await drain.database.select().from(batches)).toMatchObject([
      { messages: 0, files: 1, loaded: 1, startedAt: expect.any(Date) },
    ])
  })

  test('that is bad is refused with its reason, and its copy asked for', async () => {
    await using drain = await openDrain()
    const fileId = await drain.deadLetter('bad', '{"order_id":')

    expect(await drain.load(fileId)).toEqual({ fileId, outcome: 'poison' })

    expect(await drain.fileOf(fileId)).toMatchObject({ status: 'poison', reason: { kind: 'unparsable' } })
    const [batch] = await drain.database.select().from(batches)
    expect(JSON.parse(batch?.executionInput ?? '')).toMatchObject({ trigger: 'batch', poisonFileIds: [fileId] })
  })

  test('whose version is gone has vanished', async () => {
    await using drain = await openDrain()
    const fileId = await drain.deadLetter('gone')
    const { key: Key, versionId: VersionId } = (await drain.fileOf(fileId)) ?? {}
    await drain.s3.send(new DeleteObjectCommand({ Bucket: drain.bucket, Key, VersionId }))

    expect(await drain.load(fileId)).toEqual({ fileId, outcome: 'vanished' })
  })

  test.each(['loaded', 'quarantined', 'poison', 'vanished'] as const)(
    'that is %s by now is left alone',
    async (status) => {
      await using drain = await openDrain()
      const fileId = await drain.deadLetter('settled')
      await drain.database.update(files).set({ status }).where(eq(files.id, fileId))
      const before = await drain.ledgerRows()

      expect(await drain.load(fileId, s3Down(drain))).toEqual({ fileId, outcome: status })

      expect(await drain.ledgerRows()).toEqual(before)
      expect(await drain.database.$count(batches)).toBe(0)
    },
  )

  test('that the ledger does not know is a mistake of the caller', async () => {
    await using drain = await openDrain()
    await expect(drain.load(7)).rejects.toMatchObject({ name: 'InvalidInput', message: 'the ledger has no file 7' })
  })
})

describe('trouble', () => {
  test('with S3 fails by name, the file stays a dead letter, its attempt ended, and it loads when S3 is back', async () => {
    await using drain = await openDrain()
    const fileId = await drain.deadLetter('good')

    for (const _ of [1, 2, 3, 4]) {
      await expect(drain.load(fileId, s3Down(drain))).rejects.toMatchObject({ name: 'LoadFailed' })
    }

    expect(await drain.fileOf(fileId)).toMatchObject({ status: 'dead_letter', attemptsBegun: 4, attemptsEnded: 4 })
    expect(await drain.database.$count(batches)).toBe(0)
    expect(await drain.load(fileId)).toEqual({ fileId, outcome: 'loaded' })
  })

  test('with a bucket that is not there is not the fault of the file', async () => {
    await using drain = await openDrain()
    const [file] = await recordFiles(drain.database, [fileRecord({ bucket: 'no-such-bucket', status: 'dead_letter' })])

    await expect(drain.load(file?.id ?? 0)).rejects.toMatchObject({ name: 'LoadFailed' })

    expect(await drain.fileOf(file?.id ?? 0)).toMatchObject({ status: 'dead_letter' })
  })

  test('with the database fails by name', async () => {
    await using drain = await openDrain()
    const withDatabase: WithDatabase = () => Promise.reject(Object.assign(new Error('x'), { code: 'ECONNREFUSED' }))

    await expect(drain.load(7, { withDatabase })).rejects.toMatchObject({
      name: 'LoadFailed',
      message: 'file 7: Error ECONNREFUSED',
    })
  })

  test('with the database in mid-attempt, time and again, never looks like a file that ends the function', async () => {
    await using drain = await openDrain()
    const fileId = await drain.deadLetter('good')
    let isDown = false
    const withDatabase: WithDatabase = (work, end) =>
      isDown ? Promise.reject(new Error('the database is down')) : drain.ingest.withDatabase(work, end)
    // It goes down when the file is read, so that neither the outcome nor the end of the attempt can be noted.
    const s3 = s3Watched(() => {
      isDown = true
    })
    const flapping = { reader: { ...drain.ingest.reader, s3 }, withDatabase, attempts: new Attempts(withDatabase) }

    for (const _ of [1, 2, 3]) {
      isDown = false
      await expect(drain.load(fileId, flapping)).rejects.toMatchObject({ name: 'LoadFailed' })
    }
    isDown = false

    const { reader } = drain.ingest
    expect(await drain.load(fileId, { ...flapping, reader })).toEqual({ fileId, outcome: 'loaded' })
    expect(await drain.fileOf(fileId)).toMatchObject({ attemptsBegun: 4, attemptsEnded: 4 })
  })
})

/** Begins attempts that never end, as when the function dies. */
async function crash(drain: OpenDrain, fileId: number, times: number): Promise<void> {
  const { bucket = '', key = '', versionId = '' } = (await drain.fileOf(fileId)) ?? {}
  for (let time = 0; time < times; time++) await beginAttempt(drain.database, { bucket, key, versionId })
}

test('a file whose attempts ended the function three times is refused and not touched again', async () => {
  await using drain = await openDrain()
  const fileId = await drain.deadLetter('killer')
  await crash(drain, fileId, 3)
  let reads = 0
  const s3 = s3Watched(() => {
    reads++
  })

  expect(await drain.load(fileId, { reader: { ...drain.ingest.reader, s3 } })).toEqual({ fileId, outcome: 'poison' })

  expect(reads).toBe(0)
  expect(await drain.fileOf(fileId)).toMatchObject({ status: 'poison', reason: { kind: 'crashes-loader' } })
})

test('a file whose attempts ended the function twice is tried once more', async () => {
  await using drain = await openDrain()
  const fileId = await drain.deadLetter('unlucky')
  await crash(drain, fileId, 2)

  expect(await drain.load(fileId)).toEqual({ fileId, outcome: 'loaded' })
})
