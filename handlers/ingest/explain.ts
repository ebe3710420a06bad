/** Says where a text is not JSON, and where PostgreSQL cannot hold it. Only bad files come here: a second, slower read. */
import { getLocation, type JSONPath, type ParseErrorCode, printParseErrorCode, visit } from 'jsonc-parser'
import type { Issue } from '../../db/schema.ts'
import { Issues, jsonPath } from '../reasons.ts'
import { lineAndColumn } from './scan.ts'

/** Where a text stands in its file, when it is one of many. */
interface Place {
  readonly path: readonly PropertyKey[]
  /** From 1. */
  readonly line: number
}

const STRICT = { disallowComments: true, allowTrailingComma: false }

/** Where and why a text is not JSON. JSON.parse says only sometimes where; a tolerant parser always knows. */
export function explainSyntax(text: string, place: Place = { path: [], line: 1 }): Issue {
  const first = findFirstError(text)
  const issue = { path: jsonPath(place.path), rule: 'syntax', expected: 'one JSON document (RFC 8259)' }
  if (first === undefined) return { ...issue, found: `something else at line ${place.line}` }
  const { line, column } = lineAndColumn(text, first.offset)
  const found = text.slice(first.offset, first.offset + 20)
  const { path } = getLocation(text, first.offset)
  return {
    ...issue,
    // Where a property's name should stand, the parser takes it for an empty one.
    path: jsonPath([...place.path, ...(path.at(-1) === '' ? path.slice(0, -1) : path)]),
    rule: printParseErrorCode(first.code),
    found: `${found === '' ? 'end of file' : JSON.stringify(found)} at line ${place.line + line - 1}, column ${column}`,
  }
}

/** Stops at the first error: a hostile file has one at every byte. */
function findFirstError(text: string): { code: ParseErrorCode; offset: number } | undefined {
  let first: { code: ParseErrorCode; offset: number } | undefined
  const enough = new Error('enough')
  const onError = (code: ParseErrorCode, offset: number) => {
    first = { code, offset }
    throw enough
  }
  try {
    visit(text, { onError }, STRICT)
  } catch (error) {
    if (error !== enough) throw error
  }
  return first
}

/** Appends the line that a record stands on to what was found there. */
export const noteLine = (found: string, line: number | undefined): string =>
  line === undefined ? found : `${found} (line ${line})`

/**
 * Every place of a JSON text that jsonb cannot hold: `\u0000`, lone surrogates, and numbers beyond the digits of `numeric`.
 * Properties given twice are seen twice, as PostgreSQL sees them. A number is judged by its text, since JSON.parse takes
 * 1e400, which PostgreSQL can hold, for infinite.
 *
 * @param isOnLines whether a place is told with its line
 */
export function findUnstorable(text: string, rule: string, isOnLines: boolean): Issues {
  const issues = new Issues()
  const add = (path: JSONPath, problem: Problem | undefined, line: number) => {
    if (problem === undefined) return
    const { expected, found } = problem
    issues.add(() => ({
      path: jsonPath(path),
      rule,
      expected,
      found: noteLine(found, isOnLines ? line + 1 : undefined),
    }))
  }
  visit(text, {
    onObjectProperty: (name, _offset, _length, line, _column, pathOf) => {
      const problem = problemOfText(name)
      if (problem !== undefined) add([...pathOf(), name], problem, line)
    },
    onLiteralValue: (value, offset, length, line, _column, pathOf) => {
      if (typeof value === 'string') add(pathOf(), problemOfText(value), line)
      if (typeof value === 'number') add(pathOf(), problemOfNumber(text.slice(offset, offset + length)), line)
    },
  })
  return issues
}

interface Problem {
  readonly expected: string
  readonly found: string
}

function problemOfText(text: string): Problem | undefined {
  if (text.includes('\0')) return { expected: 'text without \\u0000', found: '\\u0000' }
  if (!text.isWellFormed()) return { expected: 'surrogates in pairs', found: 'a lone surrogate' }
  return undefined
}

/** Digits that PostgreSQL's `numeric` has before and after the point. https://www.postgresql.org/docs/17/datatype-numeric.html */
const NUMERIC_DIGITS = { before: 131_072, after: 16_383 }

function problemOfNumber(token: string): Problem | undefined {
  const [, whole = '', fraction = '', exponent = '0'] = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(token) ?? []
  const digits = (whole + fraction).replace(/^0+/, '').length
  const before = digits - fraction.length + Number(exponent)
  const after = fraction.length - Number(exponent)
  const isTooLarge = digits > 0 && before > NUMERIC_DIGITS.before
  if (!isTooLarge && after <= NUMERIC_DIGITS.after) return undefined
  return {
    expected: `a number of at most ${NUMERIC_DIGITS.before} digits before and ${NUMERIC_DIGITS.after} after the point`,
    found: `number ${token}`,
  }
}
