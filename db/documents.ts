/** Questions about the documents themselves. */
import { sql } from 'drizzle-orm'
import type { Session } from './client.ts'
import { errorCode, isDataRefused } from './errors.ts'
import { documents } from './schema.ts'

export interface NewDocument {
  readonly fileId: number
  readonly source: string
  /** The file's own text in UTF-8, without a byte order mark. Never parsed and written anew: numbers would change. */
  readonly bytes: Uint8Array
}

/**
 * Inserts documents in one statement. Their bytes travel as one binary `text[]` and are cast by the server, which costs the
 * client 2 ms a batch where escaping them costs 130.
 *
 * @param loadedOn the load day (UTC, `YYYY-MM-DD`): must be the day that the ledger rows carry
 * @throws a database error that {@link isDataRefused} when one of the documents is no jsonb; nothing is inserted then
 */
export async function insertDocuments(
  session: Session,
  loadedOn: string,
  added: readonly NewDocument[],
): Promise<void> {
  if (added.length === 0) return
  const ids = sql.param(added.map((document) => document.fileId))
  const sources = sql.param(added.map((document) => document.source))
  const payloads = sql.param(binaryTextArray(added.map((document) => document.bytes)))
  await session.execute(sql`
    insert into ${documents} (file_id, loaded_on, source, payload)
    select file_id, ${loadedOn}::date, source, payload::jsonb
    from unnest(${ids}::bigint[], ${sources}::text[], ${payloads}::text[]) as added (file_id, source, payload)`)
}

/**
 * Which of the documents the database refuses, found by bisection under savepoints: about `2 x log2(n)` statements for each.
 *
 * @returns the SQLSTATE of each refusal by the document's position in `candidates`
 * @throws any other database error
 */
export async function findRefusedDocuments(
  session: Session,
  candidates: readonly Uint8Array[],
): Promise<Map<number, string>> {
  const refused = new Map<number, string>()
  const probe = async (start: number, end: number): Promise<void> => {
    const part = sql.param(binaryTextArray(candidates.slice(start, end)))
    try {
      await session.transaction((savepoint) =>
        savepoint.execute(sql`select count(payload::jsonb) from unnest(${part}::text[]) as probed (payload)`),
      )
      return
    } catch (error) {
      if (!isDataRefused(error)) throw error
      if (end - start === 1) {
        refused.set(start, errorCode(error) ?? 'unknown')
        return
      }
    }
    const middle = (start + end) >> 1
    await probe(start, middle)
    await probe(middle, end)
  }
  if (candidates.length > 0) await probe(0, candidates.length)
  return refused
}

/** Object identifier of PostgreSQL's type `text`. */
const TEXT_OID = 25

/**
 * The binary form of a one-dimensional `text[]` that is not empty: dimensions, has-null flag, element type, length and lower bound, then each
 * element with its length, all as big-endian 32-bit integers. A Buffer is what pg sends as a binary parameter.
 * https://github.com/postgres/postgres/blob/REL_17_STABLE/src/backend/utils/adt/arrayfuncs.c (array_recv)
 */
function binaryTextArray(elements: readonly Uint8Array[]): Buffer {
  const bytes = elements.reduce((sum, element) => sum + element.byteLength, 0)
  const array = Buffer.allocUnsafe(20 + elements.length * 4 + bytes)
  array.writeInt32BE(1, 0)
  array.writeInt32BE(0, 4)
  array.writeInt32BE(TEXT_OID, 8)
  array.writeInt32BE(elements.length, 12)
  array.writeInt32BE(1, 16)
  let at = 20
  for (const element of elements) {
    array.writeInt32BE(element.byteLength, at)
    array.set(element, at + 4)
    at += 4 + element.byteLength
  }
  return array
}
