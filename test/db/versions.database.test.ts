import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { recordFiles } from '../../db/files.ts'
import { files } from '../../db/schema.ts'
import { countVersionsOfKey, findKeyOfCopy, listVersionsOfKey } from '../../db/versions.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { commitBatch, fileRecord } from '../support/ledger.ts'

let ledger: TestDatabase
beforeEach(async () => {
  ledger = await createDatabase()
})
afterEach(() => ledger[Symbol.asyncDispose]())

describe('versions of a key', () => {
  test('come newest first by sequencer, with the batch that decided them', async () => {
    const key = 'input/orders/1.json'
    const newer = await commitBatch(ledger.database, [fileRecord({ key, sequencer: '0A', versionId: 'newer' })], {
      executionName: 'x',
    })
    await commitBatch(ledger.database, [fileRecord({ key, sequencer: '09', versionId: 'older' })])
    await recordFiles(ledger.database, [fileRecord({ key, bucket: 'elsewhere' }), fileRecord()])

    const versions = await listVersionsOfKey(ledger.database, 'landing', key, 10)

    expect(versions).toMatchObject([
      { versionId: 'newer', state: 'loaded', batch: { id: newer, executionName: 'x' }, replay: null },
      { versionId: 'older', state: 'superseded' },
    ])
    expect(await listVersionsOfKey(ledger.database, 'landing', key, 1)).toHaveLength(1)
    expect(await countVersionsOfKey(ledger.database, 'landing', key)).toBe(2)
  })

  test('of which a listing alone knows some come newest first by when S3 stored them', async () => {
    const key = 'input/orders/1.json'
    const at = (second: number) => ({ lastModifiedAt: new Date(second * 1_000), eventAt: new Date(second * 1_000) })
    await recordFiles(ledger.database, [
      fileRecord({ key, versionId: 'second', sequencer: '0A', ...at(2) }),
      fileRecord({ key, versionId: 'third', sequencer: null, ...at(3) }),
      fileRecord({ key, versionId: 'first', sequencer: null, ...at(1) }),
    ])

    const versions = await listVersionsOfKey(ledger.database, 'landing', key, 10)

    expect(versions.map(({ versionId, state }) => [versionId, state])).toEqual([
      ['third', 'loaded'],
      ['second', 'superseded'],
      ['first', 'superseded'],
    ])
  })

  test('that no batch decided have none', async () => {
    const file = fileRecord({ status: 'dead_letter' })
    await recordFiles(ledger.database, [file])
    expect(await listVersionsOfKey(ledger.database, file.bucket, file.key, 1)).toMatchObject([
      { state: 'dead_letter', batch: null },
    ])
  })

  test('are found by the key of a copy, and by no key that only resembles one', async () => {
    const file = fileRecord({ status: 'quarantined' })
    const [row] = await recordFiles(ledger.database, [file])
    const id = row?.id ?? 0
    await ledger.database.update(files).set({ quarantineKey: `quarantine/orders/${id}.json` })

    expect(await findKeyOfCopy(ledger.database, id, `quarantine/orders/${id}.json`)).toBe(file.key)
    expect(await findKeyOfCopy(ledger.database, id, `quarantine/github/${id}.json`)).toBeUndefined()
  })
})
