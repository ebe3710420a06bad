import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { judgeDocument, judgeRefused, type Verdict } from '../../../handlers/ingest/judge.ts'
import { DEPTH_MAX, RECORDS_MAX } from '../../../handlers/limits.ts'
import { jsonNumber, type RecordLayout, type Source } from '../../../handlers/sources/source.ts'

const sourceOf = (records: RecordLayout): Source => ({
  name: 'things',
  prefix: 'input/things/',
  owner: 'things@example.com',
  expectedEveryHours: 1,
  records,
  contractVersion: 3,
  contract: z.looseObject({ sku: z.string(), delta: jsonNumber }),
})
const feed = sourceOf({ kind: 'array', path: ['data', 'items'] })
const lines = sourceOf({ kind: 'lines' })

const judge = (source: Source, text: string) => judgeDocument(source, Buffer.from(text))
const reasonOf = (verdict: Verdict) => (verdict.status === 'poison' ? verdict.reason : undefined)
const storedText = (verdict: Verdict) =>
  verdict.status === 'loaded' ? Buffer.from(verdict.bytes).toString() : undefined
const record = (sku: unknown = 'A') => JSON.stringify({ sku, delta: 1 })

describe('records in an array', () => {
  test('are counted, and the file is stored as it came', () => {
    const text = `{"data":{"items":[${record()}, ${record()}],"next":1.10}}`
    expect(judge(feed, text)).toMatchObject({ status: 'loaded', records: 2 })
    expect(storedText(judge(feed, text))).toBe(text)
  })

  test('may be none', () => {
    expect(judge(feed, '{"data":{"items":[]}}')).toMatchObject({ status: 'loaded', records: 0 })
  })

  test('may be the whole document', () => {
    const top = sourceOf({ kind: 'array', path: [] })
    expect(judge(top, `[${record()}]`)).toMatchObject({ status: 'loaded', records: 1 })
    expect(reasonOf(judge(top, `[${record(7)}]`))?.issues).toMatchObject([{ path: '$[0].sku' }])
  })

  test('are each held against the contract; the path begins at the root of the file', () => {
    const reason = reasonOf(judge(feed, `{"data":{"items":[${record()},${record(7)},"A"]}}`))
    expect(reason).toEqual({
      kind: 'contract',
      contractVersion: 3,
      issues: [
        { path: '$.data.items[1].sku', rule: 'invalid_type', expected: 'string', found: 'number 7' },
        { path: '$.data.items[2]', rule: 'invalid_type', expected: 'object', found: 'string "A"' },
      ],
      issuesOmitted: 0,
    })
  })

  test.each([
    { text: '{"data":{"items":{}}}', found: 'object' },
    { text: '{"data":{}}', found: 'nothing' },
    { text: '{"data":"items"}', found: 'nothing' },
    { text: '[]', found: 'nothing' },
    { text: 'null', found: 'nothing' },
  ])('must be there: $text', ({ text, found }) => {
    expect(reasonOf(judge(feed, text))).toMatchObject({
      kind: 'contract',
      issues: [{ path: '$.data.items', rule: 'records', expected: 'array', found }],
    })
  })

  test('may be 50,000 and no more', () => {
    const items = (count: number) => `{"data":{"items":[${Array(count).fill(record()).join()}]}}`
    expect(judge(feed, items(RECORDS_MAX))).toMatchObject({ status: 'loaded', records: 50_000 })
    expect(reasonOf(judge(feed, items(RECORDS_MAX + 1)))).toMatchObject({
      kind: 'too-many-records',
      issues: [{ path: '$.data.items', expected: 'at most 50000 records', found: '50001 records' }],
    })
  })
})

describe('records on lines', () => {
  test.each([
    { name: 'a line break at the end', text: '{"sku":"A","delta":1}\n{"sku":"B","delta":2}\n' },
    { name: 'none at the end', text: '{"sku":"A","delta":1}\n{"sku":"B","delta":2}' },
    { name: 'carriage returns', text: '{"sku":"A","delta":1}\r\n{"sku":"B","delta":2}\r\n' },
    { name: 'blank lines', text: '\n \t\n{"sku":"A","delta":1}\n\n\r\n{"sku":"B","delta":2}\n\n  ' },
    { name: 'white space around', text: '  {"sku":"A","delta":1}  \n\t{"sku":"B","delta":2}\t' },
    { name: 'a byte order mark', text: '\u{feff}{"sku":"A","delta":1}\n{"sku":"B","delta":2}' },
  ])('may come with $name', ({ text }) => {
    const verdict = judge(lines, text)
    expect(verdict).toMatchObject({ status: 'loaded', records: 2 })
    expect(JSON.parse(storedText(verdict) ?? '')).toEqual([
      { sku: 'A', delta: 1 },
      { sku: 'B', delta: 2 },
    ])
  })

  test("are stored as one array of the file's own characters", () => {
    const text =
      '{"sku":"Ä\\u00e4","delta":1.10}\n\n{ "sku":"B" , "delta":12345678901234567890123 }\r\n{"sku":"C","delta":1e400}'
    expect(storedText(judge(lines, text))).toBe(
      '[{"sku":"Ä\\u00e4","delta":1.10}\n\n,{ "sku":"B" , "delta":12345678901234567890123 }\r\n,{"sku":"C","delta":1e400}]',
    )
  })

  test('are told by their position in the array, and by their line', () => {
    const reason = reasonOf(judge(lines, `${record()}\n\n${record()}\n${record('B').replace('1', '"x"')}`))
    expect(reason).toEqual({
      kind: 'contract',
      contractVersion: 3,
      issues: [{ path: '$[2].delta', rule: 'invalid_type', expected: 'number', found: 'string "x" (line 4)' }],
      issuesOmitted: 0,
    })
  })

  test('keep their line in a reason that is cut', () => {
    const [issue] = reasonOf(judge(lines, `\n{"sku":"A","delta":"${'x'.repeat(1_000)}"}`))?.issues ?? []
    expect(issue?.found).toHaveLength(100)
    expect(issue?.found).toMatch(/^string "x+…x+" \(line 2\)$/)
  })

  test.each([
    { name: 'is cut off', line: '{"sku":"A","del', path: '$[1].del', found: /^"\\"del" at line 3, column 12$/ },
    { name: 'has garbage behind', line: `${record()} x`, path: '$[1]', found: /^"x" at line 3, column 23$/ },
    {
      name: 'holds two records',
      line: `${record()},${record()}`,
      path: '$[1]',
      found: /^",\{.*" at line 3, column 22$/,
    },
    { name: 'holds a space that JSON does not know', line: '\u{a0}', path: '$[1]', found: /at line 3, column 1$/ },
    { name: 'holds NaN', line: '{"sku":"A","delta":NaN}', path: '$[1].delta', found: /^"NaN\}" at line 3, column 20$/ },
  ])('are all refused when one $name', ({ line, path, found }) => {
    const verdict = judge(lines, [record(), '', line, record()].join('\n'))
    expect(reasonOf(verdict)).toMatchObject({
      kind: 'unparsable',
      issues: [{ path, found: expect.stringMatching(found) }],
      issuesOmitted: 0,
    })
  })

  test('that only together make JSON are refused', () => {
    expect(reasonOf(judge(lines, '{"sku":"A",\n"delta":1}'))).toMatchObject({ kind: 'unparsable' })
    expect(reasonOf(judge(lines, '1\n2\n]\n[3'))).toMatchObject({ kind: 'unparsable', issues: [{}, {}] })
  })

  test('list 20 issues and count the others', () => {
    const broken = Array(50).fill('{').join('\n')
    expect(reasonOf(judge(lines, broken))?.issues).toHaveLength(20)
    expect(reasonOf(judge(lines, broken))).toMatchObject({ kind: 'unparsable', issuesOmitted: 30 })
    expect(reasonOf(judge(lines, Array(50).fill('{}').join('\n')))).toMatchObject({
      kind: 'contract',
      issuesOmitted: 80,
    })
  })

  test.each(['\n', ' \r\n\t\n'])('must be at least one: %j is empty', (text) => {
    expect(reasonOf(judge(lines, text))?.kind).toBe('empty')
  })

  test('may be 50,000 and no more, blank lines not counted', () => {
    const text = `${Array(RECORDS_MAX).fill(record()).join('\n\n')}\n\n`
    expect(judge(lines, text)).toMatchObject({ status: 'loaded', records: 50_000 })
    expect(reasonOf(judge(lines, `${text}${record()}`))).toMatchObject({
      kind: 'too-many-records',
      issues: [{ path: '$', found: 'more, at line 100001' }],
    })
  })

  test('nest 100 deep each, whatever a line before left open', () => {
    const nested = (depth: number) => `{"sku":"A","delta":1,"more":${'['.repeat(depth)}${']'.repeat(depth)}}`
    expect(judge(lines, nested(DEPTH_MAX - 1)).status).toBe('loaded')
    expect(reasonOf(judge(lines, nested(DEPTH_MAX)))?.kind).toBe('too-deep')
    expect(reasonOf(judge(lines, Array(200).fill('{"sku":"').join('\n')))?.kind).toBe('unparsable')
  })

  test('that PostgreSQL refuses are told by position and line', () => {
    const verdict = judge(lines, `\n${record()}\n\n${record('A\0')}`)
    const stored = Buffer.from(storedText(verdict) ?? '')
    expect(reasonOf(judgeRefused(lines, stored, '22P05'))).toMatchObject({
      kind: 'database-refused',
      issues: [{ path: '$[1].sku', found: '\\u0000 (line 4)' }],
    })
  })

  test('are, whatever they are, the elements of what is stored', () => {
    const anything = { ...lines, contract: z.unknown() }
    const blank = fc.constantFrom('', ' ', '\r', '\t ')
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.array(blank), fc.json()), { minLength: 1 }), fc.boolean(), (given, ends) => {
        const text = given.flatMap(([blanks, json]) => [...blanks, json]).join('\n') + (ends ? '\n' : '')
        const verdict = judge(anything, text)
        expect(JSON.parse(storedText(verdict) ?? '')).toEqual(given.map(([, json]) => JSON.parse(json)))
      }),
    )
  })
})
