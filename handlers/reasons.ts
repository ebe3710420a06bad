/** How a refused file says why: a kind, and up to 20 places with the rule, what was expected and what was found. */
import type { Issue, Reason } from '../db/schema.ts'
import { ISSUES_PER_FILE, REASON_TEXT_LENGTH } from './limits.ts'

/** Every kind of reason, and what it means to the person who looks at the file. */
export const REASON_KINDS = {
  empty: 'The object has no bytes, or only white space.',
  'too-large': 'The object is larger than 32 MiB.',
  'unknown-source': 'No source claims the key.',
  'invalid-utf8': 'The bytes are not UTF-8.',
  'too-deep': 'Arrays and objects nest deeper than 100.',
  unparsable: 'The text, or one of its lines, is not JSON.',
  'too-many-records': 'The file has more than 50,000 records.',
  contract: "A record breaks the source's contract.",
  'crashes-loader': 'Three loads of this file alone ended the process.',
  'database-refused': 'PostgreSQL cannot store the document as jsonb.',
} as const

export type ReasonKind = keyof typeof REASON_KINDS

/** Issues of one file: the first 20 are kept, the others only counted, so that a bad export of 32 MiB stays small. */
export class Issues {
  readonly kept: Issue[] = []
  count = 0

  /** @param explain called only when the issue is kept */
  add(explain: () => Issue): void {
    if (this.kept.length < ISSUES_PER_FILE) this.kept.push(explain())
    this.count++
  }
}

export function makeReason(kind: ReasonKind, contractVersion: number | null, { kept, count }: Issues): Reason {
  return {
    kind,
    contractVersion,
    issues: kept.map((issue) => ({
      path: clip(issue.path),
      rule: clip(issue.rule),
      expected: clip(issue.expected),
      found: clip(issue.found),
    })),
    issuesOmitted: count - kept.length,
  }
}

/**
 * Cuts a text to 100 characters, from its middle, so that a long path keeps its end. What PostgreSQL could not store in a
 * reason (NUL, lone surrogates) is replaced: the reason must never be refused for the fault that it reports.
 */
function clip(text: string): string {
  const safe = text.replaceAll('\0', '\u{2400}').toWellFormed()
  if (safe.length <= REASON_TEXT_LENGTH) return safe
  return `${safe.slice(0, 59)}…${safe.slice(safe.length - 40)}`.toWellFormed()
}

/** A JSON path such as `$.lines[3]["unit price"]`. */
export function jsonPath(segments: readonly PropertyKey[]): string {
  return segments.reduce<string>((path, segment) => {
    if (typeof segment === 'number') return `${path}[${segment}]`
    const name = String(segment)
    return /^[A-Za-z_$][\w$]*$/.test(name) ? `${path}.${name}` : `${path}[${JSON.stringify(name)}]`
  }, '$')
}

/** What stands at a place, in a few words: its type and, when it is short, its value. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return `array of ${value.length}`
  if (typeof value === 'object') return 'object'
  const short = typeof value === 'string' ? value.slice(0, REASON_TEXT_LENGTH) : value
  return `${typeof value} ${JSON.stringify(short)}`
}
