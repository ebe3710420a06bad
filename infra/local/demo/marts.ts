/** A few rows of each mart, as an analyst would see them. */
import { sql } from 'drizzle-orm'
import type { Database } from '../../../db/client.ts'
import { printable, renderTable } from '../../../workflows/cli/format.ts'
import { formatCount } from './progress.ts'

const ROWS_SHOWN = 3

/** Characters of a cell, so that a table fits the terminal. */
const CELL_LENGTH = 24

/** The marts, with the columns that say most, and what comes first. */
const MARTS: readonly { name: string; columns: readonly string[]; order: string }[] = [
  {
    name: 'ingest_daily',
    columns: ['day', 'source', 'files', 'loaded', 'superseded', 'quarantined', 'bytes', 'p50_seconds', 'p99_seconds'],
    order: 'files desc',
  },
  {
    name: 'quarantine_reasons',
    columns: ['day', 'source', 'kind', 'rule', 'path', 'files'],
    order: 'files desc, path',
  },
  {
    name: 'orders',
    columns: ['order_id', 'ordered_at', 'customer_country', 'currency', 'total'],
    order: 'ordered_at desc',
  },
  {
    name: 'order_lines',
    columns: ['order_id', 'line_number', 'sku', 'quantity', 'unit_price'],
    order: 'order_id, line_number',
  },
  {
    name: 'earthquakes',
    columns: ['earthquake_id', 'occurred_at', 'magnitude', 'place', 'status'],
    order: 'magnitude desc nulls last',
  },
  {
    name: 'github_activity_daily',
    columns: ['day', 'repository', 'event', 'action', 'deliveries', 'senders'],
    order: 'deliveries desc, repository, event, action',
  },
  {
    name: 'github_pull_requests',
    columns: ['repository', 'number', 'state', 'title', 'author'],
    order: 'repository, number',
  },
]

type Row = Record<string, string | null>

/** Every mart with its number of rows, and the first few of them. */
export async function renderMarts(database: Database): Promise<string> {
  const parts: string[] = []
  for (const { name, columns, order } of MARTS) {
    const table = sql.identifier(name)
    const { rows: counted } = await database.execute<{ rows: string }>(
      sql`select count(*)::text as rows from marts.${table}`,
    )
    const list = sql.raw(columns.map((column) => `${column}::text`).join(', '))
    const { rows } = await database.execute<Row>(
      sql`select ${list} from marts.${table} order by ${sql.raw(order)} limit ${ROWS_SHOWN}`,
    )
    const shown = columns.map((head) => ({ head, cell: (row: Row) => cellOf(row[head]) }))
    parts.push(`marts.${name}, ${formatCount(Number(counted[0]?.rows))} rows\n${indent(renderTable(shown, rows))}`)
  }
  return parts.join('\n\n')
}

function cellOf(value: string | null | undefined): string {
  const text = printable(value ?? '-')
  return text.length > CELL_LENGTH ? `${text.slice(0, CELL_LENGTH - 1)}…` : text
}

const indent = (text: string): string => text.replaceAll(/^/gm, '  ')
