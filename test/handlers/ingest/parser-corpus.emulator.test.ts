import { eq, sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { z } from 'zod'
import type { Session } from '../../../db/client.ts'
import { documents, files } from '../../../db/schema.ts'
import { judgeDocument } from '../../../handlers/ingest/judge.ts'
import { writeSlice } from '../../../handlers/ingest/write-slice.ts'
import { parseMessage } from '../../../handlers/s3-event.ts'
import { github } from '../../../handlers/sources/github.ts'
import { createDatabase } from '../../support/database.ts'
import { openIngest } from '../../support/open-ingest.ts'
import { corpus } from '../../support/parser-corpus.ts'
import { s3Message, s3Record } from '../../support/s3-events.ts'

const nameOf = (key: string): string => key.replace(/^input\/github\//, '')

/** What PostgreSQL itself thinks of a file. Undefined of what cannot be sent to it, or may overflow its stack. */
async function askPostgres(database: Session, bytes: Uint8Array) {
  const text = new TextDecoder('utf-8', { fatal: false }).decode(bytes)
  if (/[\0\u{fffd}]/u.test(text) || text.length > 10_000) return undefined
  const { rows } = await database.execute<{ json: boolean; jsonb: boolean }>(sql`
    select pg_input_is_valid(${text}, 'json') as json, pg_input_is_valid(${text}, 'jsonb') as jsonb`)
  return rows[0]
}

test('all 318 files in one batch: each version is settled, nothing comes again', async () => {
  await using pipeline = await openIngest()
  const records = await Promise.all(corpus.map(({ name, bytes }) => pipeline.put(`input/github/${name}`, bytes)))

  expect(await pipeline.ingest(...records)).toEqual({ batchItemFailures: [] })

  const rows = new Map((await pipeline.ledgerRows()).map((row) => [nameOf(row.key), row]))
  expect(rows.size).toBe(corpus.length)
  for (const [name, { status, reason }] of rows) {
    expect(['loaded', 'poison'], name).toContain(status)
    if (name.startsWith('n_')) expect(['unparsable', 'invalid-utf8', 'too-deep', 'empty'], name).toContain(reason?.kind)
    if (name.startsWith('y_')) expect([undefined, 'contract', 'database-refused'], name).toContain(reason?.kind)
  }
  const loaded = [...rows.values()].filter(({ status }) => status === 'loaded')
  expect(await pipeline.database.$count(documents)).toBe(loaded.length)
})

test('with a contract that takes anything, what is loaded is what PostgreSQL takes for JSON that it can hold', async () => {
  await using ledger = await createDatabase()
  const anything = { ...github, contract: z.unknown() }
  const read = corpus.map(({ name, bytes }) => {
    const [object] = parseMessage(s3Message(s3Record({ key: `input/github/${name}` }))).objects
    if (object === undefined) throw new Error(name)
    return { object, source: anything, lastModifiedAt: null, verdict: judgeDocument(anything, bytes) }
  })

  await writeSlice(ledger.database, {
    ...{ requestId: 'corpus', receivedAt: new Date(), messages: read.length, unreadable: [] },
    ...{ files: read, transformIntervalMinutes: 60 },
  })

  const rows = new Map((await ledger.database.select().from(files)).map((row) => [nameOf(row.key), row]))
  let compared = 0
  for (const { name, bytes } of corpus) {
    const kind = rows.get(name)?.reason?.kind ?? 'loaded'
    const opinion = await askPostgres(ledger.database, bytes)
    if (opinion === undefined || kind === 'too-deep') continue
    compared++
    expect({ name, isJson: !['unparsable', 'empty'].includes(kind), isHeld: kind === 'loaded' }).toEqual({
      ...{ name, isJson: opinion.json, isHeld: opinion.jsonb },
    })
  }
  expect(compared).toBeGreaterThan(280)

  // The documents are what the files say, by PostgreSQL's own reading.
  for (const { name, bytes } of corpus) {
    if (rows.get(name)?.status !== 'loaded') continue
    const text = new TextDecoder().decode(bytes)
    const same = sql<boolean>`${documents.payload} = ${text}::jsonb`
    const found = await ledger.database
      .select({ same })
      .from(documents)
      .where(eq(documents.fileId, rows.get(name)?.id ?? 0))
    expect({ name, found }).toEqual({ name, found: [{ same: true }] })
  }
})
