/** Decides what a file's bytes are: a document to load, or poison with a reason. Pure: no clock, no network, no database. */
import { getLocation, type ParseError, parse as parseTolerantly, printParseErrorCode } from 'jsonc-parser'
import type { z } from 'zod'
import type { Issue, Reason } from '../../db/schema.ts'
import { ATTEMPTS_MAX, DEPTH_MAX, OBJECT_BYTES_MAX } from '../limits.ts'
import { describeValue, jsonPath, makeReason } from '../reasons.ts'
import type { Source } from '../sources/source.ts'
import { findInvalidUtf8, findTooDeep, lineAndColumn } from './scan.ts'

export type Verdict =
  | {
      readonly status: 'loaded'
      readonly bytes: Uint8Array
      readonly records: number
      readonly contractVersion: number
    }
  | { readonly status: 'poison'; readonly reason: Reason }

const poison = (reason: Reason): Verdict => ({ status: 'poison', reason })

/** The verdict on an object without a byte. */
export const judgeEmpty = (source: Source): Verdict =>
  poison(whole('empty', source, 'size', 'a JSON document', '0 bytes'))

/** The verdict on an object of more bytes than are loaded. */
export const judgeTooLarge = (source: Source, sizeBytes: number): Verdict =>
  poison(whole('too-large', source, 'size', `at most ${OBJECT_BYTES_MAX} bytes`, `${sizeBytes} bytes`))

/** The verdict on a key that no source claims. */
export function judgeUnclaimed(prefixes: readonly string[]): Verdict {
  const issue = { path: '$', rule: 'prefix', expected: prefixes.join(', '), found: 'another prefix' }
  return poison(makeReason('unknown-source', null, [issue]))
}

/** The verdict on a file that took the process with it again and again. */
export function judgeCrashed(): Verdict {
  const issue = { path: '$', rule: 'attempts', expected: 'a load that ends', found: `${ATTEMPTS_MAX} that never ended` }
  return poison(makeReason('crashes-loader', null, [issue]))
}

/**
 * Judges a file of a source: strict UTF-8 (a leading byte order mark is cut), nesting, JSON (RFC 8259), then the contract.
 * The bytes of a loaded document are a view of the given ones.
 */
export function judgeDocument(source: Source, given: Uint8Array): Verdict {
  const hasMark = given[0] === 0xef && given[1] === 0xbb && given[2] === 0xbf
  const bytes = hasMark ? given.subarray(3) : given

  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    const at = `invalid bytes at offset ${findInvalidUtf8(bytes)}`
    return poison(whole('invalid-utf8', source, 'encoding', 'UTF-8', at))
  }
  if (text.trim() === '') return poison(whole('empty', source, 'size', 'a JSON document', 'only white space'))

  const tooDeepAt = findTooDeep(bytes, DEPTH_MAX)
  if (tooDeepAt !== undefined) {
    const found = `depth ${DEPTH_MAX + 1} at offset ${tooDeepAt}`
    return poison(whole('too-deep', source, 'depth', `at most ${DEPTH_MAX} levels`, found))
  }

  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    return poison(makeReason('unparsable', source.contractVersion, [explainSyntax(text)]))
  }

  const result = source.contract.safeParse(document)
  if (!result.success) {
    const issues = result.error.issues.map((issue) => explainIssue(issue, document))
    return poison(makeReason('contract', source.contractVersion, issues))
  }
  return { status: 'loaded', bytes, records: 1, contractVersion: source.contractVersion }
}

/** A reason that concerns the file as a whole. */
function whole(kind: Parameters<typeof makeReason>[0], source: Source, rule: string, expected: string, found: string) {
  return makeReason(kind, source.contractVersion, [{ path: '$', rule, expected, found }])
}

/** Where and why a text is not JSON. JSON.parse says only sometimes where; a tolerant parser always knows. */
function explainSyntax(text: string): Issue {
  const errors: ParseError[] = []
  parseTolerantly(text, errors, { disallowComments: true, allowTrailingComma: false })
  const [first] = errors
  if (first === undefined) return { path: '$', rule: 'syntax', expected: 'one JSON document', found: 'something else' }
  const { line, column } = lineAndColumn(text, first.offset)
  const found = text.slice(first.offset, first.offset + 20)
  const { path } = getLocation(text, first.offset)
  return {
    // Where a property's name should stand, the parser takes it for an empty one.
    path: jsonPath(path.at(-1) === '' ? path.slice(0, -1) : path),
    rule: printParseErrorCode(first.error),
    expected: 'one JSON document (RFC 8259)',
    found: `${found === '' ? 'end of file' : JSON.stringify(found)} at line ${line}, column ${column}`,
  }
}

function explainIssue(issue: z.core.$ZodIssue, document: unknown): Issue {
  const found = issue.path.reduce<unknown>(
    (value, segment) => (typeof value === 'object' && value !== null ? Reflect.get(value, segment) : undefined),
    document,
  )
  return {
    path: jsonPath(issue.path),
    rule: issue.code,
    expected: 'expected' in issue && typeof issue.expected === 'string' ? issue.expected : issue.message,
    found: describeValue(found),
  }
}

/**
 * The verdict on a document that passed here and was refused by PostgreSQL: jsonb cannot hold `\u0000`, lone surrogates,
 * or numbers beyond 131,072 digits.
 *
 * @param code the SQLSTATE of the refusal
 */
export function judgeRefused(source: Source, bytes: Uint8Array, code: string): Verdict {
  const document: unknown = JSON.parse(new TextDecoder().decode(bytes))
  const issues = findUnstorable(document, [])
  const place =
    issues.length > 0 ? issues : [{ path: '$', expected: 'a document that jsonb can hold', found: 'another' }]
  return poison(
    makeReason(
      'database-refused',
      source.contractVersion,
      place.map((issue) => ({ ...issue, rule: `SQLSTATE ${code}` })),
    ),
  )
}

/** Every place of a document that jsonb cannot hold. The depth of a document that came this far is bounded. */
function findUnstorable(value: unknown, path: readonly PropertyKey[]): Omit<Issue, 'rule'>[] {
  if (typeof value === 'string') return explainText(value, path)
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return [{ path: jsonPath(path), expected: 'a number of at most 131,072 digits', found: 'a larger number' }]
  }
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => {
    const here = [...path, Array.isArray(value) ? Number(name) : name]
    return [...explainText(name, here), ...findUnstorable(inner, here)]
  })
}

function explainText(text: string, path: readonly PropertyKey[]): Omit<Issue, 'rule'>[] {
  if (text.includes('\0')) return [{ path: jsonPath(path), expected: 'text without \\u0000', found: '\\u0000' }]
  if (text.isWellFormed()) return []
  return [{ path: jsonPath(path), expected: 'surrogates in pairs', found: 'a lone surrogate' }]
}
