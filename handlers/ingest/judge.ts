/** Decides what a file's bytes are: a document to load, or poison with a reason. Pure: no clock, no network, no database. */
import type { Reason } from '../../db/schema.ts'
import { ATTEMPTS_MAX, DEPTH_MAX, OBJECT_BYTES_MAX } from '../limits.ts'
import { Issues, makeReason, type ReasonKind } from '../reasons.ts'
import type { Source } from '../sources/source.ts'
import { findUnstorable } from './explain.ts'
import { checkRecords, takeRecords } from './records.ts'
import { findInvalidUtf8, findTooDeep } from './scan.ts'

export type Verdict =
  | {
      readonly status: 'loaded'
      /** What is stored: JSON of one document. */
      readonly bytes: Uint8Array
      readonly records: number
      readonly contractVersion: number
    }
  | { readonly status: 'poison'; readonly reason: Reason }

const poison = (reason: Reason): Verdict => ({ status: 'poison', reason })

/** The verdict on an object without a byte. */
export const judgeEmpty = (source: Source): Verdict =>
  poison(whole('empty', source.contractVersion, 'size', 'a JSON document', '0 bytes'))

/** The verdict on an object of more bytes than are loaded. */
export const judgeTooLarge = (source: Source, sizeBytes: number): Verdict =>
  poison(whole('too-large', source.contractVersion, 'size', `at most ${OBJECT_BYTES_MAX} bytes`, `${sizeBytes} bytes`))

/** The verdict on a key that no source claims. */
export const judgeUnclaimed = (prefixes: readonly string[]): Verdict =>
  poison(whole('unknown-source', null, 'prefix', prefixes.join(', '), 'another prefix'))

/** The verdict on a file that took the process with it again and again. */
export const judgeCrashed = (): Verdict =>
  poison(whole('crashes-loader', null, 'attempts', 'a load that ends', `${ATTEMPTS_MAX} that never ended`))

/**
 * Judges a file of a source: strict UTF-8 (a leading byte order mark is cut), nesting, JSON (RFC 8259), then each record
 * against the contract. Unless records are lines, the bytes of a loaded document are a view of the given ones.
 */
export function judgeDocument(source: Source, given: Uint8Array): Verdict {
  const { contractVersion } = source
  const hasMark = given[0] === 0xef && given[1] === 0xbb && given[2] === 0xbf
  const bytes = hasMark ? given.subarray(3) : given

  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    const found = `invalid bytes at offset ${findInvalidUtf8(bytes)}`
    return poison(whole('invalid-utf8', contractVersion, 'encoding', 'UTF-8', found))
  }
  if (text.trim() === '') return poison(whole('empty', contractVersion, 'size', 'a JSON document', 'only white space'))

  const tooDeepAt = findTooDeep(bytes, DEPTH_MAX, source.records.kind === 'lines')
  if (tooDeepAt !== undefined) {
    const found = `depth ${DEPTH_MAX + 1} at offset ${tooDeepAt}`
    return poison(whole('too-deep', contractVersion, 'depth', `at most ${DEPTH_MAX} levels`, found))
  }

  const records = takeRecords(source, text, bytes)
  if ('reason' in records) return poison(records.reason)
  const issues = checkRecords(source, records)
  if (issues.count > 0) return poison(makeReason('contract', contractVersion, issues))
  return { status: 'loaded', bytes: records.bytes, records: records.values.length, contractVersion }
}

/**
 * The verdict on a document that passed here and was refused by PostgreSQL: jsonb cannot hold `\u0000`, lone surrogates,
 * or numbers of too many digits.
 *
 * @param bytes the document as it would have been stored
 * @param code the SQLSTATE of the refusal
 */
export function judgeRefused({ contractVersion, records }: Source, bytes: Uint8Array, code: string): Verdict {
  const rule = `SQLSTATE ${code}`
  const issues = findUnstorable(new TextDecoder().decode(bytes), rule, records.kind === 'lines')
  if (issues.count > 0) return poison(makeReason('database-refused', contractVersion, issues))
  return poison(whole('database-refused', contractVersion, rule, 'a document that jsonb can hold', 'another'))
}

/** A reason that concerns the file as a whole. */
function whole(kind: ReasonKind, contractVersion: number | null, rule: string, expected: string, found: string) {
  const issues = new Issues()
  issues.add(() => ({ path: '$', rule, expected, found }))
  return makeReason(kind, contractVersion, issues)
}
