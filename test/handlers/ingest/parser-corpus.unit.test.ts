import { expect, test } from 'vitest'
import { z } from 'zod'
import { judgeDocument } from '../../../handlers/ingest/judge.ts'
import { lineAndColumn } from '../../../handlers/ingest/scan.ts'
import { orders } from '../../../handlers/sources/orders.ts'
import type { Source } from '../../../handlers/sources/source.ts'
import { corpus } from '../../support/parser-corpus.ts'

const anything: Source = { ...orders, contract: z.unknown() }

const filesThat = (letter: 'y' | 'n' | 'i') =>
  corpus.filter(({ name }) => name.startsWith(`${letter}_`)).map(({ name, bytes }) => [name, bytes] as const)

/** `loaded`, or the kind of the reason why not. */
function judge(source: Source, bytes: Uint8Array): string {
  const verdict = judgeDocument(source, bytes)
  return verdict.status === 'loaded' ? 'loaded' : verdict.reason.kind
}

test('the corpus is whole', () => {
  expect([filesThat('y').length, filesThat('n').length, filesThat('i').length]).toEqual([95, 188, 35])
})

test.each(filesThat('y'))('%s is JSON: its contract alone decides', (_, bytes) => {
  expect(judge(anything, bytes)).toBe('loaded')
  expect(judge(orders, bytes)).toBe('contract')
})

test.each(filesThat('n'))('%s is none: it is refused, and told where', (_, bytes) => {
  const verdict = judgeDocument(anything, bytes)
  if (verdict.status === 'loaded') throw new Error('loaded')
  const { kind, issues } = verdict.reason
  expect(issues).toHaveLength(1)
  const [{ path, found } = { path: '', found: '' }] = issues
  // Whoever sent it is told the same, whatever contract it was meant for.
  expect(judgeDocument(orders, bytes)).toEqual(verdict)

  expect(path).toMatch(/^\$/)
  expect(['unparsable', 'invalid-utf8', 'too-deep', 'empty']).toContain(kind)
  if (kind === 'invalid-utf8' || kind === 'too-deep') expect(found).toMatch(/ at offset \d+$/)
  if (kind !== 'unparsable') return
  const [, line, column] = / at line (\d+), column (\d+)$/.exec(found) ?? []
  const place = Number(line) * 1_000 + Number(column)
  expect(place).toBeLessThanOrEqual(whereParsingStops(new TextDecoder().decode(bytes)))
})

test.each(filesThat('i'))('%s may be either: it is loaded or refused, and nothing else', (_, bytes) => {
  expect(['loaded', 'unparsable', 'invalid-utf8', 'too-deep']).toContain(judge(anything, bytes))
  expect(['contract', 'unparsable', 'invalid-utf8', 'too-deep']).toContain(judge(orders, bytes))
})

/** Line x 1,000 + column where JSON.parse gives up, or of the end when it does not say: the fault is not behind. */
function whereParsingStops(text: string): number {
  try {
    JSON.parse(text)
  } catch (error) {
    const [, position = text.length] = / at position (\d+)/.exec(String(error)) ?? []
    const { line, column } = lineAndColumn(text, Number(position))
    return line * 1_000 + column
  }
  throw new Error('it is JSON')
}
