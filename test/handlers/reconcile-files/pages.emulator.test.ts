import type { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs'
import { sql } from 'drizzle-orm'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseMessage } from '../../../handlers/s3-event.ts'
import { listing } from '../../support/listing.ts'
import { inTwoHours, type OpenReconcile, openReconcile } from '../../support/open-reconcile.ts'

let open: OpenReconcile
beforeEach(async () => {
  open = await openReconcile()
})
afterEach(() => open[Symbol.asyncDispose]())

describe('a listing of many pages', () => {
  const AT = new Date('2026-01-01T00:00:00Z')
  const versions = (count: number) =>
    Array.from({ length: count }, (_, index) => ({
      Key: `input/orders/${String(index).padStart(6, '0')}.json`,
      ...{ VersionId: 'v1', LastModified: AT, Size: 2 },
    }))

  /** Counts instead of queueing: a thousand sends are seconds of the emulator's time and none of what is tested here. */
  function counting(failAt = 0) {
    const sent: string[] = []
    let calls = 0
    const send = async ({ input }: SendMessageBatchCommand) => {
      if (++calls === failAt) throw new Error('the connection broke in the middle of a page')
      for (const { MessageBody = '' } of input.Entries ?? [])
        sent.push(...parseMessage(MessageBody).objects.map(({ key }) => key))
      return {}
    }
    return { sent, sqs: { send } as unknown as SQSClient }
  }

  test('after a crash goes on where it was, and in the end has sent every version and counted each once', async () => {
    const total = 2_345
    const { sent, sqs: broken } = counting(42)
    const s3 = listing(versions(total), 100, (page) => {
      if (page === 9) throw new Error('S3 is ill')
    })

    const outcomes: unknown[] = []
    for (let isDone = false; !isDone; )
      await open.reconcile({}, { s3, sqs: broken }).then(
        (outcome) => {
          outcomes.push(outcome)
          isDone = outcome.isDone
        },
        ({ message }: Error) => outcomes.push(message),
      )

    expect(outcomes).toEqual([
      'the connection broke in the middle of a page',
      'S3 is ill',
      expect.objectContaining({ listed: total, missing: total, isDone: true }),
    ])
    expect(new Set(sent).size).toBe(total)
    // What had been sent of the page that broke is sent twice.
    expect(sent.length).toBeLessThan(total + 100)
  })

  test('ends its Task when the time is over, but never before a page', async () => {
    const page = () =>
      open.reconcile({}, { s3: listing(versions(250), 100), sqs: counting().sqs }, inTwoHours({ remaining: () => 0 }))

    expect(await page()).toMatchObject({ listed: 100, isDone: false, isFull: false })
    expect(await page()).toMatchObject({ listed: 200, isDone: false })
    expect(await page()).toMatchObject({ listed: 250, isDone: true })
  })

  test('ends its Task when 5,000 files are sent, so that the queue is never longer', async () => {
    const { sent, sqs } = counting()
    const outcome = await open.reconcile({}, { s3: listing(versions(12_000)), sqs })

    expect(outcome).toMatchObject({ listed: 5_000, missing: 5_000, isDone: false, isFull: true })
    expect(sent).toHaveLength(5_000)
  })

  test('of versions that are known costs one question a page: 30,000 in one Task', async () => {
    await open.database.execute(sql`
      insert into ingest.files (bucket, key, version_id, source, status)
      select ${open.bucket}, 'input/orders/' || lpad(n::text, 6, '0') || '.json', 'v1', 'orders', 'loaded'
      from generate_series(0, 29999) n`)

    expect(await open.reconcile({}, { s3: listing(versions(30_000)) })).toMatchObject({
      listed: 30_000,
      missing: 0,
      isDone: true,
    })
  })
})
