import { DeleteObjectCommand, GetObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { recordFiles } from '../../../db/files.ts'
import { files, type Reason } from '../../../db/schema.ts'
import { databaseFromSecret } from '../../../handlers/database.ts'
import { type QuarantineDependencies, quarantineFiles } from '../../../handlers/quarantine-files/quarantine-files.ts'
import { awsClients, createVersionedBucket, databaseEnvironment, putObject } from '../../support/aws.ts'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { fileRecord } from '../../support/ledger.ts'

const { s3, secrets } = awsClients()
let ledger: TestDatabase
let bucket: string
let dependencies: QuarantineDependencies

beforeEach(async () => {
  ledger = await createDatabase()
  bucket = await createVersionedBucket(s3)
  const environment = await databaseEnvironment(secrets, ledger.credentialsOf('maintenance'))
  dependencies = { s3, withDatabase: databaseFromSecret(secrets, environment, 'test-quarantine') }
})
afterEach(() => ledger[Symbol.asyncDispose]())
afterAll(() => {
  for (const client of [s3, secrets]) client.destroy()
})

const reason: Reason = {
  kind: 'contract',
  contractVersion: 1,
  issues: [{ path: '$.total', rule: 'invalid_type', expected: 'number', found: 'nothing' }],
  issuesOmitted: 0,
}

/** A poison file in the bucket and in the ledger. Returns its ledger id. */
async function poison(key: string, body = 'bad'): Promise<{ id: number; versionId: string }> {
  const { s3: event } = await putObject(s3, bucket, key, body)
  const versionId = event.object.versionId ?? ''
  const [row] = await recordFiles(ledger.database, [fileRecord({ bucket, key, versionId, status: 'poison', reason })])
  if (row === undefined) throw new Error('the ledger did not take the file')
  return { id: row.id, versionId }
}

const read = async (key: string) => {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
  return await Body?.transformToString()
}
const rows = () => ledger.database.select().from(files)

test('a poison file is copied in its own version, its reason put beside it, and the ledger says where', async () => {
  const { id, versionId } = await poison('input/orders/a b+ü%.json', 'the bad version')
  await putObject(s3, bucket, 'input/orders/a b+ü%.json', 'a later version')

  expect(await quarantineFiles(dependencies, [id])).toEqual({ quarantined: 1, withoutCopy: 0, unchanged: 0 })

  expect(await rows()).toMatchObject([
    { status: 'quarantined', quarantineKey: `quarantine/orders/${id}.json`, quarantineNote: null, reason },
  ])
  expect(await read(`quarantine/orders/${id}.json`)).toBe('the bad version')
  expect(JSON.parse((await read(`quarantine/orders/${id}.reason.json`)) ?? '')).toEqual({
    fileId: id,
    bucket,
    key: 'input/orders/a b+ü%.json',
    versionId,
    source: 'orders',
    reason,
  })
})

test('doing it again changes nothing', async () => {
  const { id } = await poison('input/orders/1.json')
  await quarantineFiles(dependencies, [id])
  const before = await rows()
  expect(await quarantineFiles(dependencies, [id])).toEqual({ quarantined: 0, withoutCopy: 0, unchanged: 1 })
  expect(await rows()).toEqual(before)
})

test('a version that is gone is quarantined without a copy, and the ledger says why', async () => {
  const { id, versionId } = await poison('input/orders/1.json')
  await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'input/orders/1.json', VersionId: versionId }))
  expect(await quarantineFiles(dependencies, [id])).toEqual({ quarantined: 1, withoutCopy: 1, unchanged: 0 })
  expect(await rows()).toMatchObject([
    { status: 'quarantined', quarantineKey: null, quarantineNote: expect.stringContaining('deleted') },
  ])
})

test('a version too large for S3 to copy is quarantined without a copy, and the ledger says why', async () => {
  const file = fileRecord({ bucket, key: 'input/orders/huge.json', status: 'poison', reason, sizeBytes: 6 * 1024 ** 3 })
  const [row] = await recordFiles(ledger.database, [file])
  const outcome = await quarantineFiles(dependencies, [row?.id ?? 0])
  expect(outcome).toEqual({ quarantined: 1, withoutCopy: 1, unchanged: 0 })
  expect(await rows()).toMatchObject([
    { status: 'quarantined', quarantineKey: null, quarantineNote: expect.stringContaining('5 GiB') },
  ])
})

test('one file that cannot be copied does not keep the others, and fails the Task by name', async () => {
  const one = await poison('input/orders/1.json')
  const [lost] = await recordFiles(ledger.database, [
    fileRecord({ bucket: 'no-such-bucket', status: 'poison', reason }),
  ])
  const work = quarantineFiles(dependencies, [one.id, lost?.id ?? 0])
  await expect(work).rejects.toMatchObject({
    name: 'QuarantineIncomplete',
    message: expect.stringContaining('1 of 2 files'),
  })
  expect((await rows()).map((row) => row.status).toSorted()).toEqual(['poison', 'quarantined'])
})

test('a file that was loaded meanwhile is left alone', async () => {
  const { id, versionId } = await poison('input/orders/1.json')
  await recordFiles(ledger.database, [fileRecord({ bucket, key: 'input/orders/1.json', versionId, status: 'loaded' })])
  expect(await quarantineFiles(dependencies, [id, 999])).toEqual({ quarantined: 0, withoutCopy: 0, unchanged: 2 })
})
