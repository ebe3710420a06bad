import { describe, expect, test } from 'vitest'
import { listVersions } from '../../../handlers/reconcile-files/list-versions.ts'
import { listing } from '../../support/listing.ts'

const AT = new Date('2026-11-24T12:00:00Z')
const version = (Key: string, VersionId = 'v1', LastModified = AT) => ({ Key, VersionId, LastModified, Size: 2 })
const listed = (versions: ReturnType<typeof version>[], pageSize?: number) => ({
  s3: listing(versions, pageSize),
  bucket: 'landing',
  prefix: 'input/',
})
const all = (versions: ReturnType<typeof version>[]) =>
  listVersions(listed(versions, versions.length), null, AbortSignal.timeout(5_000))
const timesOf = async (versions: ReturnType<typeof version>[]) =>
  (await all(versions)).objects.map(({ versionId, eventAt }) => [versionId, eventAt.toISOString().slice(17, 23)])

describe('a listing', () => {
  test('says of a version what its event would have said, but for the sequencer', async () => {
    expect((await all([version('input/orders/1.json', 'null')])).objects).toEqual([
      {
        ...{ bucket: 'landing', key: 'input/orders/1.json', versionId: 'null' },
        ...{ sequencer: null, sizeBytes: 2, eventAt: AT },
      },
    ])
  })

  test('reads keys as they are, with spaces, plus signs, percent signs and characters that XML does not know', async () => {
    const keys = ['input/orders/a b+c%20d.json', 'input/orders/\u0001.json', 'input/orders/ヤマト.json']
    expect((await all(keys.map((key) => version(key)))).objects.map(({ key }) => key)).toEqual(keys)
  })

  test('ignores other names, folder markers, and what the ledger cannot hold', async () => {
    const names = ['input/orders/', 'input/orders/1.JSON', 'input/orders/1.json.late', 'input/\0.json']
    const page = await all(names.map((name) => version(name)))

    expect(page.objects).toEqual([])
    expect(page.ignored).toEqual(['input/orders/', 'input/orders/1.JSON', 'input/orders/1.json.late', 'input/%00.json'])
  })

  test('goes on after the last version of a page, whatever its key', async () => {
    const versions = ['v3', 'v2', 'v1'].map((id) => version('input/orders/ü \u0001.json', id))
    const given = listed(versions, 2)
    const first = await listVersions(given, null, AbortSignal.timeout(5_000))
    const second = await listVersions(given, first.next, AbortSignal.timeout(5_000))

    expect([first, second].map(({ objects }) => objects.map(({ versionId }) => versionId))).toEqual([
      ['v3', 'v2'],
      ['v1'],
    ])
    expect(second.next).toBeNull()
  })
})

describe('versions of one key that were put within a second', () => {
  test('are said to be a millisecond apart, since S3 lists the newest first', async () => {
    const key = 'input/orders/1.json'
    expect(await timesOf([version(key, 'v3'), version(key, 'v2'), version(key, 'v1')])).toEqual([
      ['v3', '00.002'],
      ['v2', '00.001'],
      ['v1', '00.000'],
    ])
  })

  test('are in order across pages', async () => {
    const given = listed(
      ['v4', 'v3', 'v2', 'v1'].map((id) => version('input/orders/1.json', id)),
      2,
    )
    const first = await listVersions(given, null, AbortSignal.timeout(5_000))
    const second = await listVersions(given, first.next, AbortSignal.timeout(5_000))

    const byTime = [...first.objects, ...second.objects].toSorted((a, b) => Number(b.eventAt) - Number(a.eventAt))
    expect(byTime.map(({ versionId }) => versionId)).toEqual(['v4', 'v3', 'v2', 'v1'])
  })

  test('stay within it, and other seconds and keys are as S3 says', async () => {
    const many = Array.from({ length: 1_000 }, (_, index) => version('input/orders/1.json', `v${index}`))
    const later = version('input/orders/1.json', 'later', new Date(AT.getTime() + 1_000))
    const times = await timesOf([later, ...many, version('input/orders/2.json', 'other')])

    expect(times.slice(0, 2)).toEqual([
      ['later', '01.000'],
      ['v0', '00.999'],
    ])
    expect(times.at(-1)).toEqual(['other', '00.000'])
  })
})
