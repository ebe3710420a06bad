import { PutObjectCommand } from '@aws-sdk/client-s3'
import { eq, like } from 'drizzle-orm'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { currentFiles, documents, files, replays } from '../../db/schema.ts'
import { connectTo, type Deployment } from '../../infra/local/demo/deployment.ts'
import { orderText } from '../support/orders.ts'
import { runSluice } from '../support/pipeline.ts'

let pipeline: Deployment
beforeAll(() => {
  pipeline = connectTo(inject('cloud'), inject('stackOutputs'))
})
afterAll(() => pipeline.database.$client.end())

const PREFIX = 'input/orders/replayed/'

const sluice = (...args: string[]) => runSluice(inject('cloud').endpoint, ...args)

const states = async () => {
  const rows = await pipeline.database
    .select()
    .from(currentFiles)
    .where(like(currentFiles.key, `${PREFIX}%`))
    .orderBy(currentFiles.key)
  return rows.map(({ state }) => state)
}

test('refused files are tried and replayed by the command line: those that load by now are loaded, by whom is kept', async () => {
  const put = (name: string, Body: string) =>
    pipeline.s3.send(new PutObjectCommand({ Bucket: pipeline.bucket, Key: `${PREFIX}${name}.json`, Body }))
  await Promise.all([put('1-good', orderText()), put('2-bad', '{}')])
  await vi.waitFor(async () => expect(await states()).toEqual(['loaded', 'quarantined']), { timeout: 20_000 })
  // As if the contract of yesterday had refused the good one.
  const [good] = await pipeline.database
    .select()
    .from(files)
    .where(eq(files.key, `${PREFIX}1-good.json`))
  await pipeline.database.delete(documents).where(eq(documents.fileId, good?.id ?? 0))
  await pipeline.database
    .update(files)
    .set({ status: 'quarantined' })
    .where(eq(files.id, good?.id ?? 0))

  const trial = await sluice('replay', '--prefix', PREFIX, '--dry-run')
  expect(trial).toContain('1 of 2 would now load.')
  expect(trial).toContain('2-bad.json: contract')
  expect(await states()).toEqual(['quarantined', 'quarantined'])

  const why = 'the contract was too strict'
  expect(await sluice('replay', '--prefix', PREFIX, '--why', why)).toContain('Started: replay-')
  await vi.waitFor(async () => expect(await states()).toEqual(['loaded', 'quarantined']), { timeout: 20_000 })
  expect(await pipeline.database.select().from(replays).where(eq(replays.why, why))).toMatchObject([
    { requestedBy: expect.stringMatching(/^arn:aws:/), filesSent: 2, finishedAt: expect.any(Date) },
  ])
})

test('what AWS would refuse is said before anything is done', async () => {
  const executions = JSON.parse(await sluice('executions', '--status', 'SUCCEEDED', '--limit', '1', '--json'))
  const redriving = sluice('redrive', executions[0].name, '--yes')
  await expect(redriving).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('AWS would refuse') })
})
