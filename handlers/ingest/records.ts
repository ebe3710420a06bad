/** Takes a file's text apart into records, as the layout of its source says. */
import type { z } from 'zod'
import type { Reason } from '../../db/schema.ts'
import { RECORDS_MAX } from '../limits.ts'
import { describeValue, Issues, jsonPath, makeReason, type ReasonKind } from '../reasons.ts'
import type { Source } from '../sources/source.ts'
import { explainSyntax, noteLine } from './explain.ts'

/** The records of a file, and what of it is stored. */
export interface Records {
  readonly values: readonly unknown[]
  /** Path of a record from the file's root, by its position. */
  readonly pathOf: (position: number) => readonly PropertyKey[]
  /** Line of a record in the file, from 1, where records have one. */
  readonly lineOf: (position: number) => number | undefined
  /** JSON of one document, made of the file's own characters. */
  readonly bytes: Uint8Array
}

/** The records, or the reason why there are none. */
export type RecordsOrReason = Records | { readonly reason: Reason }

/** @param bytes the text in UTF-8 */
export function takeRecords(source: Source, text: string, bytes: Uint8Array): RecordsOrReason {
  const refuse = (kind: ReasonKind, issues: Issues) => ({ reason: makeReason(kind, source.contractVersion, issues) })
  const layout = source.records
  return layout.kind === 'lines' ? takeLines(text, refuse) : takeDocument(text, bytes, layout, refuse)
}

type Refuse = (kind: ReasonKind, issues: Issues) => { readonly reason: Reason }

function takeDocument(
  text: string,
  bytes: Uint8Array,
  layout: Exclude<Source['records'], { kind: 'lines' }>,
  refuse: Refuse,
): RecordsOrReason {
  const issues = new Issues()
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    issues.add(() => explainSyntax(text))
    return refuse('unparsable', issues)
  }
  const lineOf = () => undefined
  if (layout.kind === 'document') return { values: [document], pathOf: () => [], lineOf, bytes }

  const { path } = layout
  const values = path.reduce(propertyOf, document)
  if (!Array.isArray(values)) {
    issues.add(() => ({ path: jsonPath(path), rule: 'records', expected: 'array', found: describeValue(values) }))
    return refuse('contract', issues)
  }
  if (values.length > RECORDS_MAX) return refuse('too-many-records', tooMany(path, `${values.length} records`))
  return { values, pathOf: (position) => [...path, position], lineOf, bytes }
}

/**
 * Takes each line that is not blank for a document. They are stored as one array, for which only `[`, `,` and `]` are put
 * between the file's own characters: numbers stay exact, and every place keeps its line.
 */
function takeLines(text: string, refuse: Refuse): RecordsOrReason {
  const issues = new Issues()
  const values: unknown[] = []
  const lines: number[] = []
  const parts: string[] = []
  let partStart = 0
  let line = 0
  for (let start = 0; start < text.length; line++) {
    const lineBreak = text.indexOf('\n', start)
    const end = lineBreak === -1 ? text.length : lineBreak
    const record = text.slice(start, end)
    if (!isBlank(record)) {
      if (lines.length === RECORDS_MAX) return refuse('too-many-records', tooMany([], `more, at line ${line + 1}`))
      parts.push(text.slice(partStart, start), lines.length === 0 ? '[' : ',')
      partStart = start
      const position = lines.push(line + 1) - 1
      try {
        values.push(JSON.parse(record))
      } catch {
        issues.add(() => explainSyntax(record, { path: [position], line: line + 1 }))
      }
    }
    start = end + 1
  }
  if (issues.count > 0) return refuse('unparsable', issues)
  parts.push(text.slice(partStart), ']')
  return {
    values,
    pathOf: (position) => [position],
    lineOf: (position) => lines[position],
    bytes: new TextEncoder().encode(parts.join('')),
  }
}

/** Only what JSON calls white space: anything else on a line is for the parser to refuse. */
const isBlank = (line: string): boolean => /^[ \t\r]*$/.test(line)

function propertyOf(value: unknown, name: PropertyKey): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

function tooMany(path: readonly PropertyKey[], found: string): Issues {
  const issues = new Issues()
  issues.add(() => ({ path: jsonPath(path), rule: 'records', expected: `at most ${RECORDS_MAX} records`, found }))
  return issues
}

/** Holds each record against the contract. */
export function checkRecords({ contract }: Source, { values, pathOf, lineOf }: Records): Issues {
  const issues = new Issues()
  values.forEach((record, position) => {
    const result = contract.safeParse(record)
    for (const issue of result.error?.issues ?? []) {
      issues.add(() => ({
        path: jsonPath([...pathOf(position), ...issue.path]),
        rule: issue.code,
        expected: expectationOf(issue),
        found: noteLine(describeValue(issue.path.reduce(propertyOf, record)), lineOf(position)),
      }))
    }
  })
  return issues
}

/** What zod wanted, without its introduction ("Too small: expected"). */
function expectationOf(issue: z.core.$ZodIssue): string {
  if ('expected' in issue && typeof issue.expected === 'string') return issue.expected
  return issue.message.replace(/^[^:]*: expected /, '')
}
