/** The way of an erasure: asked for on the command line, out of the bucket and the database. Marts: test/dbt/models/removal.test.ts. */
import { ListObjectVersionsCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { currentFiles, erasures } from '../../db/schema.ts'
import { connectTo, type Deployment } from '../../infra/local/demo/deployment.ts'
import { orderText } from '../support/orders.ts'
import { runSluice } from '../support/pipeline.ts'

let pipeline: Deployment
beforeAll(() => {
  pipeline = connectTo(inject('cloud'), inject('stackOutputs'))
})
afterAll(() => pipeline.database.$client.end())

const KEY = 'input/orders/erased/of ada.json'
const WHY = 'request 4711'

const sluice = (...args: string[]) => runSluice(inject('cloud').endpoint, ...args)

const states = async () => {
  const rows = await pipeline.database
    .select()
    .from(currentFiles)
    .where(eq(currentFiles.key, KEY))
    .orderBy(currentFiles.id)
  return rows.map(({ state }) => state)
}

/** Puts a version and waits until it is settled. */
async function put(Body: string, ...expected: string[]) {
  await pipeline.s3.send(new PutObjectCommand({ Bucket: pipeline.bucket, Key: KEY, Body }))
  await vi.waitFor(async () => expect(await states()).toEqual(expected), { timeout: 20_000 })
}

async function countInBucket(Prefix: string): Promise<number> {
  const { Versions = [] } = await pipeline.s3.send(new ListObjectVersionsCommand({ Bucket: pipeline.bucket, Prefix }))
  return Versions.length
}

test('an operator erases a key: what it has is shown, nobody is asked in a script without --yes, and nothing of it is left', async () => {
  await put(orderText({ order_id: 'erased-1' }), 'loaded')
  await put('{"order_id":"erased-2"}', 'loaded', 'quarantined')
  const rows = await pipeline.database.select().from(currentFiles).where(eq(currentFiles.key, KEY))
  const refused = rows.find(({ state }) => state === 'quarantined')
  expect(refused?.quarantineKey).toMatch(/^quarantine\/orders\//)
  await expect(sluice('erase', KEY)).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('--why') })
  await expect(sluice('erase', KEY, '--why', WHY)).rejects.toMatchObject({
    code: 1,
    stdout: expect.stringContaining('2 versions, delete markers included'),
    stderr: expect.stringContaining('Nobody can be asked here: say --yes'),
  })
  await expect(sluice('erase', 'elsewhere.json', '--why', WHY, '--yes')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('must begin with input/'),
  })
  expect(await countInBucket(KEY)).toBe(2)

  const told = await sluice('erase', KEY, '--why', WHY, '--yes')

  expect(told.replaceAll('\n', ' ')).toContain('2 versions, 2 versions of copies, 1 document, 1 reason, 0 messages')
  expect(told).toContain('backups of the database')
  expect([await countInBucket(KEY), await countInBucket(refused?.quarantineKey ?? '')]).toEqual([0, 0])
  expect(await states()).toEqual(['erased', 'erased'])
  expect(await pipeline.database.select().from(erasures).where(eq(erasures.key, KEY))).toMatchObject([
    { requestedBy: expect.stringMatching(/^arn:aws:/), why: WHY, versions: 2, completedAt: expect.any(Date) },
  ])
  const explained = await sluice('explain', KEY)
  expect(explained.match(/^ERASED {2}version/gm)).toHaveLength(2)
  expect(explained).toMatch(/^ {2}erased {2,}.*, by arn:aws:.*: request 4711$/m)
  expect(JSON.parse(await sluice('erase', KEY, '--why', WHY, '--yes', '--json'))).toMatchObject({
    ...{ versions: 0, copies: 0, documents: 0, reasons: 0, messages: 0, files: 0, cameIn: 0 },
  })
})
