import { eq } from 'drizzle-orm'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FileRecord, recordFiles } from '../../db/files.ts'
import { currentFiles, fileStatus, files, replays } from '../../db/schema.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { fileRecord } from '../support/ledger.ts'

let test_: TestDatabase
beforeAll(async () => {
  test_ = await createDatabase()
})
afterAll(() => test_[Symbol.asyncDispose]())

const ledgerRow = async ({ key }: FileRecord) => {
  const [row] = await test_.database.select().from(files).where(eq(files.key, key))
  return row
}

const stateOf = async ({ versionId }: FileRecord) => {
  const [row] = await test_.database.select().from(currentFiles).where(eq(currentFiles.versionId, versionId))
  return row?.state
}

describe('the guarded upsert', () => {
  const statuses = fileStatus.enumValues
  const pairs = statuses.flatMap((known) => statuses.map((arriving) => ({ known, arriving })))

  test('ranks the statuses as the design does', () => {
    expect(statuses).toEqual(['attempted', 'dead_letter', 'vanished', 'poison', 'quarantined', 'loaded'])
  })

  test.each(pairs)('after $known, $arriving is written only if it ranks higher', async ({ known, arriving }) => {
    const before = fileRecord({ status: known, records: 1 })
    await recordFiles(test_.database, [before])
    const climbs = statuses.indexOf(arriving) > statuses.indexOf(known)

    const returned = await recordFiles(test_.database, [{ ...before, status: arriving, records: 2 }])

    expect(returned.map((row) => row.status)).toEqual(climbs ? [arriving] : [])
    expect(await ledgerRow(before)).toMatchObject({ status: climbs ? arriving : known, records: climbs ? 2 : 1 })
  })

  test.each(statuses)(
    'after %s, a replay that is refused again puts its reason in place and lowers nothing',
    async (known) => {
      const reason = (kind: string) => ({ kind, contractVersion: 1, issues: [], issuesOmitted: 0 })
      const [replay] = await test_.database
        .insert(replays)
        .values({ executionName: `replay-${known}`, requestedBy: 'arn', why: 'test', selection: {} })
        .returning({ id: replays.id })
      const before = fileRecord({ status: known, reason: reason('old'), quarantineKey: 'quarantine/1.json' })
      await recordFiles(test_.database, [before])

      const again = { ...before, status: 'poison' as const, reason: reason('new'), quarantineKey: null }
      const returned = await recordFiles(test_.database, [{ ...again, replayId: replay?.id ?? null }])

      const isLoaded = known === 'loaded'
      const status = statuses.indexOf(known) > statuses.indexOf('poison') ? known : 'poison'
      expect(returned.map((row) => row.status)).toEqual(isLoaded ? [] : [status])
      expect(await ledgerRow(before)).toMatchObject({
        status,
        reason: { kind: isLoaded ? 'old' : 'new' },
        quarantineKey: 'quarantine/1.json',
      })
    },
  )

  test('sets the transaction of the change only when the status climbs', async () => {
    const file = fileRecord({ status: 'poison' })
    await recordFiles(test_.database, [file])
    const first = await ledgerRow(file)
    await recordFiles(test_.database, [file])
    expect((await ledgerRow(file))?.changedXid).toBe(first?.changedXid)

    await recordFiles(test_.database, [{ ...file, status: 'quarantined' }])
    expect(BigInt((await ledgerRow(file))?.changedXid ?? 0)).toBeGreaterThan(BigInt(first?.changedXid ?? 0))
  })

  test('keeps what was known and the new row does not say', async () => {
    const file = fileRecord({ status: 'dead_letter', sequencer: '0A', sizeBytes: 12 })
    await recordFiles(test_.database, [file])
    await recordFiles(test_.database, [{ ...file, status: 'loaded', sequencer: null, sizeBytes: null }])
    expect(await ledgerRow(file)).toMatchObject({ status: 'loaded', sequencer: '0A', sizeBytes: 12 })
  })

  test.each(statuses)(
    'a version that a listing made known as %s takes sequencer and time of its event, and is not new',
    async (known) => {
      const [second, exact] = [new Date('2026-11-24T12:00:00Z'), new Date('2026-11-24T12:00:00.123Z')]
      const listed = fileRecord({ status: known, sequencer: null, eventAt: second, records: 1 })
      await recordFiles(test_.database, [listed])
      const before = await ledgerRow(listed)

      const event = { ...listed, status: 'attempted' as const, sequencer: '0A', eventAt: exact, records: null }
      expect(await recordFiles(test_.database, [event])).toEqual([])

      const after = await ledgerRow(listed)
      expect(after).toMatchObject({
        status: known,
        sequencer: '0A',
        eventAt: exact,
        records: 1,
        changedAt: before?.changedAt,
      })
      expect(BigInt(after?.changedXid ?? 0)).toBeGreaterThan(BigInt(before?.changedXid ?? 0))

      // And only once: what is repeated is no change.
      await recordFiles(test_.database, [event])
      expect((await ledgerRow(listed))?.changedXid).toBe(after?.changedXid)
    },
  )

  test('a listing that comes after the event takes nothing of it away', async () => {
    const exact = new Date('2026-11-24T12:00:00.123Z')
    const event = fileRecord({ status: 'dead_letter', sequencer: '0A', eventAt: exact })
    await recordFiles(test_.database, [event])
    const listed = { ...event, status: 'loaded' as const, sequencer: null, eventAt: new Date('2026-11-24T12:00:00Z') }
    await recordFiles(test_.database, [listed])
    expect(await ledgerRow(event)).toMatchObject({ status: 'loaded', sequencer: '0A', eventAt: exact })
  })

  test('two writers of the same hundred files in opposite order do not deadlock, and each file is new to one', async () => {
    const batch = Array.from({ length: 100 }, () => fileRecord())
    await using other = await createSecondConnection()
    const [one, two] = await Promise.all([
      test_.database.transaction((transaction) => recordFiles(transaction, batch)),
      other.database.transaction((transaction) => recordFiles(transaction, batch.toReversed())),
    ])
    expect(one.length + two.length).toBe(100)
  })
})

describe('current_files', () => {
  const key = () => fileRecord().key

  test('a loaded version is superseded by a loaded one with a greater sequencer, whichever came first', async () => {
    for (const order of ['older first', 'newer first']) {
      const shared = key()
      const older = fileRecord({ key: shared, sequencer: '0055AED6DCD90281E5' })
      const newer = fileRecord({ key: shared, sequencer: '0055AED6DCD90281E6' })
      for (const file of order === 'older first' ? [older, newer] : [newer, older]) {
        await recordFiles(test_.database, [file])
      }
      expect([await stateOf(older), await stateOf(newer)], order).toEqual(['superseded', 'loaded'])
    }
  })

  test.each(['attempted', 'dead_letter', 'vanished', 'poison', 'quarantined'] as const)(
    'a newer version that is %s leaves the older one current',
    async (status) => {
      const shared = key()
      const older = fileRecord({ key: shared, sequencer: '01' })
      const newer = fileRecord({ key: shared, sequencer: '02', status })
      await recordFiles(test_.database, [older, newer])
      expect([await stateOf(older), await stateOf(newer)]).toEqual(['loaded', status])
    },
  )

  test('versions of other keys and buckets do not supersede', async () => {
    const file = fileRecord({ sequencer: '01' })
    const otherKey = fileRecord({ sequencer: '02' })
    const otherBucket = fileRecord({ key: file.key, bucket: 'elsewhere', sequencer: '02' })
    await recordFiles(test_.database, [file, otherKey, otherBucket])
    expect(await stateOf(file)).toBe('loaded')
  })

  test('a version without a sequencer is ordered by LastModified', async () => {
    const shared = key()
    const listed = fileRecord({ key: shared, sequencer: null, lastModifiedAt: new Date('2026-01-01T00:00:00Z') })
    const event = fileRecord({ key: shared, sequencer: '01', lastModifiedAt: new Date('2026-01-02T00:00:00Z') })
    await recordFiles(test_.database, [listed, event])
    expect([await stateOf(listed), await stateOf(event)]).toEqual(['superseded', 'loaded'])
  })

  test('of versions put within a second, one without a sequencer is the older, and two without stand as they were listed', async () => {
    const shared = key()
    const second = new Date('2026-01-01T00:00:00Z')
    const at = (milliseconds: number) => new Date(second.getTime() + milliseconds)
    const listed = [0, 1, 2].map((place) =>
      fileRecord({ key: shared, sequencer: null, lastModifiedAt: second, eventAt: at(place) }),
    )
    await recordFiles(test_.database, listed.toReversed())
    expect(await Promise.all(listed.map(stateOf))).toEqual(['superseded', 'superseded', 'loaded'])

    const event = fileRecord({ key: shared, sequencer: '01', lastModifiedAt: second, eventAt: at(1) })
    await recordFiles(test_.database, [event])
    expect(await Promise.all([...listed, event].map(stateOf))).toEqual([...Array(3).fill('superseded'), 'loaded'])
  })

  test('exactly one version of a key is current, the one put last, whichever of their events came', async () => {
    const versions = fc.array(fc.record({ second: fc.integer({ min: 0, max: 3 }), hasEvent: fc.boolean() }), {
      minLength: 1,
      maxLength: 6,
    })
    await fc.assert(
      fc.asyncProperty(versions, async (drawn) => {
        const shared = key()
        // Each was put after the one before. The sequencer says so, and S3's LastModified as far as it knows; within a second
        // those that have no event are from before the bucket told of any.
        const inOrder = drawn.toSorted((a, b) => a.second - b.second || Number(a.hasEvent) - Number(b.hasEvent))
        const records = inOrder.map(({ second, hasEvent }, place) =>
          fileRecord({
            key: shared,
            sequencer: hasEvent ? `0${place}` : null,
            lastModifiedAt: new Date(second * 1_000),
            eventAt: new Date(second * 1_000 + place),
          }),
        )
        await recordFiles(test_.database, records)
        const states = await Promise.all(records.map(stateOf))
        expect(states).toEqual([...Array(records.length - 1).fill('superseded'), 'loaded'])
      }),
      { numRuns: 100 },
    )
  })

  test('sequencers compare as S3 says: right-padded with zeros, then as text', async () => {
    const hex = fc.string({ unit: fc.constantFrom(...'0123456789ABCDEF'), minLength: 1, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(hex, hex, async (one, two) => {
        const length = Math.max(one.length, two.length)
        const isNewer = two.padEnd(length, '0') > one.padEnd(length, '0')
        const shared = key()
        const first = fileRecord({ key: shared, sequencer: one })
        await recordFiles(test_.database, [first, fileRecord({ key: shared, sequencer: two })])
        expect(await stateOf(first)).toBe(isNewer ? 'superseded' : 'loaded')
      }),
      { numRuns: 100 },
    )
  })
})

async function createSecondConnection() {
  const { openDatabase } = await import('../../db/client.ts')
  const database = openDatabase(test_.credentials, 'test-second')
  return { database, [Symbol.asyncDispose]: () => database.$client.end() }
}
