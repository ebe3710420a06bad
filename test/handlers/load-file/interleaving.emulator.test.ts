import { DeleteObjectCommand } from '@aws-sdk/client-s3'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { claimDeadLetters } from '../../../db/dead-letters.ts'
import { batches, documents, files } from '../../../db/schema.ts'
import { awsClients } from '../../support/aws.ts'
import { ingestDependencies } from '../../support/ingest.ts'
import { type OpenDrain, openDrain } from '../../support/open-drain.ts'

const kinds = { good: 'loaded', bad: 'poison', gone: 'vanished' } as const
type Kind = keyof typeof kinds

const by = fc.constantFrom('a' as const, 'b' as const)
const step = fc.oneof(
  fc.record({ act: fc.constant('claim' as const), by, limit: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ act: fc.constant('load' as const), by }),
  fc.record({ act: fc.constant('load both' as const) }),
  // The execution ends, and its claims stay until their leases are over.
  fc.record({ act: fc.constant('lose' as const), by }),
  fc.record({ act: fc.constant('expire' as const) }),
)

async function prepare(drain: OpenDrain, wanted: readonly Kind[]): Promise<Map<number, Kind>> {
  for (const table of [documents, files, batches]) await drain.database.delete(table)
  const prepared = new Map<number, Kind>()
  for (const [n, kind] of wanted.entries()) {
    const id = await drain.deadLetter(`${n}`, kind === 'bad' ? 'bad' : undefined)
    prepared.set(id, kind)
    if (kind !== 'gone') continue
    const { key: Key, versionId: VersionId } = (await drain.fileOf(id)) ?? {}
    await drain.s3.send(new DeleteObjectCommand({ Bucket: drain.bucket, Key, VersionId }))
  }
  return prepared
}

test('however two drains claim and load, are lost and outlive their leases, every file is settled once', async () => {
  await using drain = await openDrain()
  // Each with a connection of its own.
  const loaders = { a: drain.ingest, b: await ingestDependencies(awsClients(), drain.ledger, drain.stateMachineArn) }
  const wanted = fc.array(fc.constantFrom<Kind>('good', 'bad', 'gone'), { minLength: 1, maxLength: 6 })

  await fc.assert(
    fc.asyncProperty(wanted, fc.array(step, { maxLength: 20 }), async (wantedKinds, steps) => {
      const prepared = await prepare(drain, wantedKinds)
      const held: Record<'a' | 'b', number[]> = { a: [], b: [] }
      const claim = (name: string, limit: number) =>
        claimDeadLetters(drain.database, { drain: name, round: 0, limit, leaseSeconds: 900 })
      const loadNext = async (name: 'a' | 'b') => {
        const fileId = held[name].shift()
        if (fileId !== undefined) await drain.load(fileId, loaders[name])
      }
      let hasExpired = false
      for (const each of steps) {
        if (each.act === 'claim') {
          const claimed = await claim(each.by, each.limit)
          const others = held[each.by === 'a' ? 'b' : 'a']
          if (!hasExpired) expect(claimed.filter((id) => others.includes(id))).toEqual([])
          held[each.by].push(...claimed)
        }
        if (each.act === 'load') await loadNext(each.by)
        if (each.act === 'load both') await Promise.all([loadNext('a'), loadNext('b')])
        if (each.act === 'lose') held[each.by] = []
        if (each.act === 'expire') {
          hasExpired = true
          await drain.expireClaims()
        }
      }

      await drain.expireClaims()
      for (const id of await claim('last', 100)) await drain.load(id)

      const rows = await drain.ledgerRows()
      expect(new Map(rows.map((row) => [row.id, row.status]))).toEqual(
        new Map([...prepared].map(([id, kind]) => [id, kinds[kind]])),
      )
      expect(rows.filter((row) => row.attemptsBegun !== row.attemptsEnded)).toEqual([])
      const loaded = await drain.database.select().from(documents)
      expect(loaded.map(({ fileId }) => fileId).toSorted((a, b) => a - b)).toEqual(
        rows.filter((row) => row.status === 'loaded').map((row) => row.id),
      )
    }),
    { numRuns: 25 },
  )
})
