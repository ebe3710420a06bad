import { eq, inArray } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { recordFiles } from '../../../db/files.ts'
import { files } from '../../../db/schema.ts'
import { fileRecord } from '../../support/ledger.ts'
import { executionArn, type OpenDrain, openDrain } from '../../support/open-drain.ts'

/** Dead letters of the ledger, without objects: nothing here reads them. */
async function deadLetters(drain: OpenDrain, count: number, source = 'orders'): Promise<number[]> {
  const records = Array.from({ length: count }, () => fileRecord({ status: 'dead_letter', source }))
  const recorded = await recordFiles(drain.database, records)
  return recorded.map((row) => row.id).toSorted((a, b) => a - b)
}

const settle = (drain: OpenDrain, ids: readonly number[]) =>
  drain.database
    .update(files)
    .set({ status: 'loaded' })
    .where(inArray(files.id, [...ids]))

describe('claiming', () => {
  test('hands out all dead letters in pages of 50, each once, and no notice before the last', async () => {
    await using drain = await openDrain()
    const ids = await deadLetters(drain, 60)

    expect(await drain.claim('a')).toEqual({ fileIds: ids.slice(0, 50), notice: null })
    expect(await drain.claim('a')).toEqual({ fileIds: ids.slice(50), notice: null })
    expect(await drain.claim('a')).toMatchObject({ fileIds: [], notice: { subject: expect.any(String) } })
  })

  test('gives two drains different ones', async () => {
    await using drain = await openDrain()
    const ids = await deadLetters(drain, 60)

    const [one, two] = [await drain.claim('a'), await drain.claim('b')]

    expect([...one.fileIds, ...two.fileIds]).toEqual(ids)
  })

  test('tells nobody of a drain that found nothing', async () => {
    await using drain = await openDrain()

    expect(await drain.claim('a')).toEqual({ fileIds: [], notice: null })
    expect(await drain.claim('a', { requireNoneRemain: true })).toEqual({ fileIds: [], notice: null })
  })
})

describe('the notice', () => {
  test('counts what became of what this drain had claimed, and links to its execution', async () => {
    await using drain = await openDrain()
    const [loaded = 0, refused = 0] = await deadLetters(drain, 3)
    await deadLetters(drain, 1, 'github')
    await drain.claim('a')
    await deadLetters(drain, 2)
    await drain.claim('b')
    await settle(drain, [loaded])
    const reason = { kind: 'contract', contractVersion: 1, issues: [], issuesOmitted: 0 }
    await drain.database.update(files).set({ status: 'poison', reason }).where(eq(files.id, refused))

    const { notice } = await drain.claim('a')

    expect(notice?.subject).toBe('Sluice: 4 dead letters, 2 still dead')
    expect(notice?.text).toContain('- github (developer-platform@example.com): 1 still dead')
    expect(notice?.text).toContain(
      '- orders (commerce-data@example.com): 1 still dead, 1 refused (1 contract), 1 loaded',
    )
    expect(notice?.text).toContain(executionArn('a'))
  })
})

describe('what remains', () => {
  test('is a failure when it is asked for, and none otherwise', async () => {
    await using drain = await openDrain()
    await deadLetters(drain, 2)
    await drain.claim('a')

    await expect(drain.claim('a', { requireNoneRemain: true })).rejects.toMatchObject({
      name: 'DeadLettersRemain',
      message: '2 dead letters could not be loaded. Mend the cause and redrive a.',
    })
    expect(await drain.claim('a')).toMatchObject({
      fileIds: [],
      notice: { text: expect.stringContaining('still dead') },
    })
  })

  test('is no failure when all that this drain had claimed is settled, whatever another has', async () => {
    await using drain = await openDrain()
    const ids = await deadLetters(drain, 2)
    await drain.claim('a')
    await settle(drain, ids)
    await deadLetters(drain, 1)
    await drain.claim('b')

    expect(await drain.claim('a', { requireNoneRemain: true })).toMatchObject({ fileIds: [] })
  })

  test('is no failure while there is something new to load', async () => {
    await using drain = await openDrain()
    await deadLetters(drain, 1)
    await drain.claim('a')
    const [late] = await deadLetters(drain, 1)

    expect(await drain.claim('a', { requireNoneRemain: true })).toEqual({ fileIds: [late], notice: null })
  })

  test('is handed out once more in the round after a redrive, and fails again when nothing is left to try', async () => {
    await using drain = await openDrain()
    const ids = await deadLetters(drain, 3)
    await drain.claim('a')
    await settle(drain, ids.slice(0, 1))
    const redriven = { round: 1, requireNoneRemain: true }

    expect(await drain.claim('a', redriven)).toEqual({ fileIds: ids.slice(1), notice: null })
    await expect(drain.claim('a', redriven)).rejects.toMatchObject({ name: 'DeadLettersRemain' })
    await settle(drain, ids)
    expect(await drain.claim('a', redriven)).toMatchObject({ fileIds: [] })
  })

  test('of a drain that another has taken over since is no longer its own', async () => {
    await using drain = await openDrain()
    const ids = await deadLetters(drain, 2)
    await drain.claim('lost')
    await drain.expireClaims()

    expect(await drain.claim('next')).toEqual({ fileIds: ids, notice: null })
    expect(await drain.claim('lost', { round: 1, requireNoneRemain: true })).toEqual({ fileIds: [], notice: null })
  })
})
