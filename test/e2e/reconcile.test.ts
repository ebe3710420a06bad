import { PutObjectCommand } from '@aws-sdk/client-s3'
import { SendMessageCommand } from '@aws-sdk/client-sqs'
import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { documents, files, reconciliations } from '../../db/schema.ts'
import { reconcileFilesOutcome } from '../../handlers/contract.ts'
import { ledgerAnswers } from '../../handlers/read-ledger/contract.ts'
import { connectTo, type Deployment } from '../../infra/local/demo/deployment.ts'
import { orderText } from '../support/orders.ts'
import { putUnknown, runSluice } from '../support/pipeline.ts'
import { s3Message } from '../support/s3-events.ts'

let pipeline: Deployment
beforeAll(() => {
  pipeline = connectTo(inject('cloud'), inject('stackOutputs'))
})
afterAll(() => pipeline.database.$client.end())

const sluice = (...args: string[]) => runSluice(inject('cloud').endpoint, ...args)

const rowOf = async (versionId = '') => {
  const [row] = await pipeline.database.select().from(files).where(eq(files.versionId, versionId))
  return row
}

test('what lay in the bucket before is counted and loaded by the command line, once, though its event comes later', async () => {
  const record = await putUnknown(pipeline, 'from-before', orderText({ order_id: 'from before' }))
  const { key, versionId = '' } = record.s3.object
  const prefix = key.replace('.json', '')
  // No event: the bucket's filter leaves it out.
  await pipeline.s3.send(new PutObjectCommand({ Bucket: pipeline.bucket, Key: `${key}.late`, Body: '{}' }))
  expect(await sluice('explain', key)).toContain(`sluice backfill --prefix ${key}`)

  const counted = await sluice('backfill', '--prefix', prefix, '--dry-run')
  expect(counted).toContain('1 would be loaded')
  expect(counted).toContain('1 version ignored')
  expect(await rowOf(versionId)).toBeUndefined()

  const why = 'from before there was a ledger'
  expect(await sluice('backfill', '--prefix', prefix, '--why', why)).toContain('Started: backfill-')
  await vi.waitFor(async () => expect(await rowOf(versionId)).toMatchObject({ status: 'loaded' }), { timeout: 20_000 })
  expect(await rowOf(versionId)).toMatchObject({ sequencer: null })
  expect(await pipeline.database.select().from(reconciliations).where(eq(reconciliations.why, why))).toMatchObject([
    {
      ...{
        requestedBy: expect.stringMatching(/^arn:aws:/),
        isBackfill: true,
        prefix,
        listed: 2,
        ignored: 1,
        missing: 1,
      },
      endedAt: expect.any(Date),
    },
  ])

  await pipeline.sqs.send(new SendMessageCommand({ QueueUrl: pipeline.queueUrl, MessageBody: s3Message(record) }))
  const { sequencer } = record.s3.object
  await vi.waitFor(async () => expect(await rowOf(versionId)).toMatchObject({ sequencer }), { timeout: 20_000 })
  const stored = sql`${documents.payload} ->> 'order_id' = 'from before'`
  expect(await pipeline.database.$count(documents, stored)).toBe(1)
})

test('the bucket is held against the ledger by the command line, and `status` says when', async () => {
  // Among the first by name: only some are told.
  const Key = 'input/a-readme.txt'
  await pipeline.s3.send(new PutObjectCommand({ Bucket: pipeline.bucket, Key, Body: 'no file of ours' }))

  const outcome = reconcileFilesOutcome.parse(JSON.parse(await sluice('reconcile', '--json')))
  // Everything here is younger than an hour.
  expect(outcome).toMatchObject({ prefix: 'input/', missing: 0, isDone: true })
  expect(outcome.listed).toBeGreaterThan(0)
  expect(outcome.ignoredExamples).toContain(Key)

  const status = ledgerAnswers.status.parse(JSON.parse(await statusText('--json')))
  expect(status.reconciliation).toMatchObject({ prefix: 'input/', listed: outcome.listed, missing: 0 })
  expect(await statusText()).toMatch(/reconciled +\d{4}-/)
})

/** It exits with 3 when something needs attention, and in this cloud nobody is told. */
const statusText = (...options: string[]): Promise<string> =>
  sluice('status', ...options).catch(({ code, stdout }: { code: number; stdout: string }) => {
    expect(code).toBe(3)
    return stdout
  })
