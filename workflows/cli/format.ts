/** How the command line writes: times in UTC, counts, and tables of columns without lines. */
import Table from 'cli-table3'

/** E.g. `2026-11-24 17:11:00`. Whoever prints it says that it is UTC. */
export const formatTime = (time: Date): string => time.toISOString().slice(0, 19).replace('T', ' ')

export const formatCount = (value: number): string => value.toLocaleString('en-US')

export const formatSeconds = (seconds: number): string => `${seconds.toFixed(1)} s`

export const formatBytes = (bytes: number): string =>
  bytes < 1_024
    ? `${bytes} B`
    : bytes < 1_048_576
      ? `${(bytes / 1_024).toFixed(1)} KiB`
      : `${(bytes / 1_048_576).toFixed(1)} MiB`

/** E.g. `1 file`, `2 files`, `3 batches`. */
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${formatCount(count)} ${count === 1 ? one : many}`

/**
 * Text from outside as it may go to a terminal: keys and found values can hold control characters, which would move the
 * cursor, recolour the screen or hide what follows.
 */
export const printable = (text: string): string =>
  text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (hidden) => `\\u{${hidden.codePointAt(0)?.toString(16)}}`)

/** Characters of a line of prose. Wider terminals are common, but not in a split window or a ticket. */
const PROSE_WIDTH = 88

/** Breaks prose into lines between words. A longer word, and a command in backticks, stays whole: it is to be copied. */
export function wrap(prose: string, width = PROSE_WIDTH): string {
  const lines: string[] = []
  for (const word of prose.match(/(?:`[^`]*`|\S)+/g) ?? []) {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines.join('\n')
}

export interface Column<Row> {
  readonly head: string
  readonly cell: (row: Row) => string | number
  readonly align?: 'left' | 'right'
  /** Leaves the column out where all its cells are 0 or empty: what did not happen takes no room. */
  readonly isOptional?: boolean
}

const NO_LINES = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
  ].map((name) => [name, '']),
)

/** Rows under a line of heads, two spaces between the columns. Numbers are written with separators and to the right. */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const shown = columns.filter(({ isOptional, cell }) => !isOptional || rows.some((row) => cell(row) || false))
  const isNumber = ({ cell, align }: Column<Row>) =>
    align === undefined && rows.length > 0 && rows.every((row) => typeof cell(row) === 'number')
  const table = new Table({
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    head: shown.map(({ head }) => head),
    colAligns: shown.map((column) => (isNumber(column) ? 'right' : (column.align ?? 'left'))),
  })
  for (const row of rows) {
    table.push(
      shown.map(({ cell }) => {
        const value = cell(row)
        return typeof value === 'number' ? formatCount(value) : value
      }),
    )
  }
  return withoutTrailingSpaces(table.toString())
}

/** Names to the left, what they say to the right, e.g. the facts of one thing. */
export function renderFacts(facts: readonly (readonly [name: string, value: string])[], indent = ''): string {
  const width = Math.max(...facts.map(([name]) => name.length))
  return facts
    .flatMap(([name, value]) =>
      value.split('\n').map((line, number) => `${indent}${(number === 0 ? name : '').padEnd(width)}  ${line}`),
    )
    .join('\n')
}

const withoutTrailingSpaces = (text: string): string => text.replaceAll(/ +$/gm, '')
