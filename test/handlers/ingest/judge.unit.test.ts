import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { judgeDocument, judgeRefused, type Verdict } from '../../../handlers/ingest/judge.ts'
import { DEPTH_MAX } from '../../../handlers/limits.ts'
import { jsonNumber, type Source } from '../../../handlers/sources/source.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

const source: Source = {
  name: 'things',
  prefix: 'input/things/',
  owner: 'things@example.com',
  expectedEveryHours: 1,
  records: { kind: 'document' },
  contractVersion: 3,
  contract: z.looseObject({ lines: z.array(z.looseObject({ price: jsonNumber })) }),
}
const anything: Source = { ...source, contract: z.unknown() }

const judge = (text: string) => judgeDocument(anything, bytes(text))
const reasonOf = (verdict: Verdict) => (verdict.status === 'poison' ? verdict.reason : undefined)
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

describe('a document that keeps the contract', () => {
  test('is loaded with its own bytes', () => {
    const given = bytes('{"lines":[{"price":1.10,"unknown":"kept"}]}')
    expect(judgeDocument(source, given)).toEqual({ status: 'loaded', bytes: given, records: 1, contractVersion: 3 })
  })

  test('may begin with a byte order mark, which is cut', () => {
    const verdict = judgeDocument(anything, bytes('\u{feff}{"a":1}'))
    expect(verdict).toMatchObject({ status: 'loaded', bytes: bytes('{"a":1}') })
  })

  test.each(['1e400', '12345678901234567890123', '-0', '1E-30'])('may hold the number %s', (number) => {
    expect(judgeDocument(source, bytes(`{"lines":[{"price":${number}}]}`)).status).toBe('loaded')
  })

  test('may name a property twice: the last counts, here as in jsonb', () => {
    expect(judgeDocument(source, bytes('{"lines":[{"price":"one","price":1}]}')).status).toBe('loaded')
    expect(reasonOf(judgeDocument(source, bytes('{"lines":[{"price":1,"price":"one"}]}')))).toMatchObject({
      kind: 'contract',
      issues: [{ path: '$.lines[0].price', found: 'string "one"' }],
    })
  })

  test('may nest 100 deep, brackets in strings not counted', () => {
    expect(judge(nested(DEPTH_MAX)).status).toBe('loaded')
    expect(judge(`{"a":"${'['.repeat(500)}\\"${'{'.repeat(500)}"}`).status).toBe('loaded')
  })
})

describe('a document that breaks the contract', () => {
  test('says the path, the rule, what was expected and found, and the version', () => {
    const verdict = judgeDocument(source, bytes('{"lines":[{"price":1},{"price":"twelve"},{}]}'))
    expect(reasonOf(verdict)).toEqual({
      kind: 'contract',
      contractVersion: 3,
      issues: [
        { path: '$.lines[1].price', rule: 'invalid_type', expected: 'number', found: 'string "twelve"' },
        { path: '$.lines[2].price', rule: 'invalid_type', expected: 'number', found: 'nothing' },
      ],
      issuesOmitted: 0,
    })
  })

  test('lists 20 issues and counts the others', () => {
    const verdict = judgeDocument(source, bytes(JSON.stringify({ lines: Array(50).fill({}) })))
    expect(reasonOf(verdict)?.issues).toHaveLength(20)
    expect(reasonOf(verdict)?.issuesOmitted).toBe(30)
  })

  test('never puts more than 100 characters, NUL or half a surrogate pair into a reason', () => {
    const anyText = fc.string({ unit: 'binary', maxLength: 300 })
    const record: Source = { ...source, contract: z.record(z.string(), z.literal('never')) }
    fc.assert(
      fc.property(fc.dictionary(anyText, anyText, { minKeys: 1 }), (document) => {
        const reason = reasonOf(judgeDocument(record, bytes(JSON.stringify(document))))
        for (const text of reason?.issues.flatMap((issue) => Object.values(issue)) ?? []) {
          expect(text.length).toBeLessThanOrEqual(100)
          expect(text).not.toContain('\0')
          expect(text.isWellFormed()).toBe(true)
        }
      }),
    )
  })
})

describe('a file that is no document', () => {
  test.each([
    { name: 'white space', text: ' \n\t', kind: 'empty', path: '$', found: 'only white space' },
    {
      name: 'a cut-off document',
      text: '{"a":[1,',
      kind: 'unparsable',
      path: '$.a[1]',
      found: 'end of file at line 1, column 9',
    },
    { name: 'NaN', text: '{"a":\n NaN}', kind: 'unparsable', path: '$.a', found: '"NaN}" at line 2, column 2' },
    { name: 'trailing garbage', text: '{"a":1} x', kind: 'unparsable', path: '$', found: '"x" at line 1, column 9' },
    {
      name: 'two documents',
      text: '{"a":1}\n{"a":2}',
      kind: 'unparsable',
      path: '$',
      found: '"{\\"a\\":2}" at line 2, column 1',
    },
    {
      name: 'a comment',
      text: '{"a":1 /* one */}',
      kind: 'unparsable',
      path: '$.a',
      found: '"/* one */}" at line 1, column 8',
    },
    { name: 'a trailing comma', text: '[1,]', kind: 'unparsable', path: '$[1]', found: '"]" at line 1, column 4' },
    { name: '101 levels', text: nested(101), kind: 'too-deep', path: '$', found: 'depth 101 at offset 100' },
  ])('$name is $kind', ({ text, kind, path, found }) => {
    expect(reasonOf(judge(text))).toMatchObject({ kind, issues: [{ path, found }] })
  })

  test('invalid UTF-8 is refused with its offset, never repaired', () => {
    const text = bytes('{"name":"Mü"}')
    const cut = Uint8Array.of(...text.slice(0, 10), 0xff, ...text.slice(10))
    expect(reasonOf(judgeDocument(anything, cut))).toMatchObject({
      kind: 'invalid-utf8',
      issues: [{ found: 'invalid bytes at offset 10' }],
    })
  })

  test('text that JSON.parse refuses is always refused with a position', () => {
    const mutated = fc.tuple(fc.json(), fc.nat(), fc.string({ maxLength: 3 })).map(([json, at, noise]) => {
      const position = at % (json.length + 1)
      return json.slice(0, position) + noise + json.slice(position + 1)
    })
    fc.assert(
      fc.property(mutated, (text) => {
        let isJson = true
        try {
          JSON.parse(text)
        } catch {
          isJson = false
        }
        const verdict = judge(text)
        if (isJson) expect(verdict.status).toBe('loaded')
        else if (text.trim() !== '') expect(reasonOf(verdict)?.issues[0]?.found).toMatch(/ at line \d+, column \d+$/)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('a document that PostgreSQL refuses', () => {
  test.each([
    { text: '{"a":[0,"x\\u0000y"]}', path: '$.a[1]', found: '\\u0000' },
    { text: '{"b\\u0000":1}', path: '$["b\\u0000"]', found: '\\u0000' },
    { text: '{"a":{"b":"\\ud800"}}', path: '$.a.b', found: 'a lone surrogate' },
    // The first of two counts as well: PostgreSQL reads both.
    { text: '{"a":"\\u0000","a":"fine"}', path: '$.a', found: '\\u0000' },
    { text: '[1e400,1e131071,1e131072]', path: '$[2]', found: 'number 1e131072' },
    { text: '[1e-16383,-1.5e-16383]', path: '$[1]', found: 'number -1.5e-16383' },
    { text: '[0e131072,0e-16384]', path: '$[1]', found: 'number 0e-16384' },
  ])('$text is found at $path', ({ text, path, found }) => {
    const verdict = judgeRefused(anything, bytes(text), '22P05')

    expect(reasonOf(verdict)).toMatchObject({ kind: 'database-refused', issuesOmitted: 0 })
    expect(reasonOf(verdict)?.issues).toMatchObject([{ path, rule: 'SQLSTATE 22P05', found }])
  })

  test('is refused as a whole when no place is to blame', () => {
    expect(reasonOf(judgeRefused(anything, bytes('{"a":1}'), '54000'))).toMatchObject({
      kind: 'database-refused',
      issues: [{ path: '$', rule: 'SQLSTATE 54000' }],
    })
  })
})
