import { describe, expect, test } from 'vitest'
import { printable, renderFacts, renderTable, wrap } from '../../../workflows/cli/format.ts'

describe('a table', () => {
  const columns = [
    { head: 'name', cell: ({ name }: { name: string; count: number }) => name },
    { head: 'count', cell: ({ count }: { name: string; count: number }) => count },
    { head: 'never', cell: () => 0, isOptional: true },
  ]

  test('has numbers to the right, no trailing spaces, and no column of what did not happen', () => {
    const rows = [
      { name: 'orders', count: 1_234 },
      { name: 'github', count: 5 },
    ]
    expect(renderTable(columns, rows)).toBe('name    count\norders  1,234\ngithub      5')
  })

  test('counts the cells that a wide character takes', () => {
    const rows = [
      { name: 'ヤマト', count: 1 },
      { name: 'DHL', count: 2 },
    ]
    expect(renderTable(columns, rows)).toBe('name    count\nヤマト      1\nDHL         2')
  })
})

test('facts stand below each other, and further lines of one below its first', () => {
  expect(
    renderFacts(
      [
        ['put', 'today'],
        ['refused', 'one\ntwo'],
      ],
      '  ',
    ),
  ).toBe('  put      today\n  refused  one\n           two')
})

test.each([
  ['an escape sequence', 'a\u{1b}[31mb', 'a\\u{1b}[31mb'],
  ['a line feed', 'a\nb', 'a\\u{a}b'],
  ['text that runs backwards', 'a\u{202e}b', 'a\\u{202e}b'],
  ['a lone surrogate', 'a\u{d800}b', 'a\\u{d800}b'],
  ['letters of any script', 'ä b/ヤマト', 'ä b/ヤマト'],
])('%s is printed so that it cannot change the screen', (_, text, printed) => {
  expect(printable(text)).toBe(printed)
})

test('prose breaks between words, and neither within a long word nor within a command', () => {
  expect(wrap('one two three', 8)).toBe('one two\nthree')
  expect(wrap('a https://a-long-address b', 8)).toBe('a\nhttps://a-long-address\nb')
  expect(wrap('see `sluice status --json`.', 8)).toBe('see\n`sluice status --json`.')
})
