import { eq, sql } from 'drizzle-orm'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { documents, files } from '../../../db/schema.ts'
import { exactValue, jsonText } from '../../support/json.ts'
import { openIngest } from '../../support/open-ingest.ts'

const edit = fc.record({ at: fc.nat(), cut: fc.nat(3), inserted: fc.uint8Array({ maxLength: 4 }) })
const intact = jsonText.map((text): Uint8Array => Buffer.from(text))
const corrupted = fc
  .tuple(intact, fc.array(edit, { minLength: 1, maxLength: 3 }))
  .map(([body, edits]) => edits.reduce(corrupt, body))

function corrupt(
  body: Uint8Array,
  { at, cut, inserted }: { at: number; cut: number; inserted: Uint8Array },
): Uint8Array {
  const position = at % (body.length + 1)
  return Buffer.concat([body.subarray(0, position), inserted, body.subarray(position + cut)])
}

test('any JSON, and any corruption of it, is stored as JSON.parse reads it or poison with a reason', async () => {
  await using pipeline = await openIngest()
  const { database, put, ingest } = pipeline
  let batch = 0
  const fullBatch = fc.array(fc.oneof(intact, corrupted), { minLength: 100, maxLength: 100 })
  await fc.assert(
    fc.asyncProperty(fullBatch, async (bodies) => {
      const folder = `input/github/${batch++}`
      const records = await Promise.all(bodies.map((body, n) => put(`${folder}/${n}.json`, body)))

      expect(await ingest(...records)).toEqual({ batchItemFailures: [] })

      const rows = await database
        .select({ key: files.key, status: files.status, reason: files.reason, payload: sql<string>`payload::text` })
        .from(files)
        .leftJoin(documents, eq(documents.fileId, files.id))
        .where(sql`${files.key} like ${`${folder}/%`}`)
      expect(rows).toHaveLength(100)
      for (const { key, status, reason, payload } of rows) {
        const text = String(Buffer.from(bodies[Number(/(\d+)\.json$/.exec(key)?.[1])] ?? []))
        if (status === 'loaded') expect(exactValue(payload)).toEqual(exactValue(text.replace(/^\u{feff}/u, '')))
        else expect([status, reason?.issues[0]?.path], text).toEqual(['poison', expect.stringMatching(/^\$/)])
      }
    }),
    // A smaller counterexample would take a hundred puts for each try.
    { numRuns: 5, endOnFailure: true },
  )
})
