/** What the models hold, and what was done to it. */
import { sql } from 'drizzle-orm'
import type { Session } from '../../../db/client.ts'

export const records = [
  'int_orders_records',
  'int_github_records',
  'int_earthquakes_records',
  'int_stock_movements_records',
].map((model) => `intermediate.${model}`)

export const marts = [
  'orders',
  'order_lines',
  'github_pull_requests',
  'github_activity_daily',
  'earthquakes',
  'ingest_daily',
  'quarantine_reasons',
].map((model) => `marts.${model}`)

/** All rows as text, sorted. */
export async function rowsOf(session: Session, relation: string): Promise<string[]> {
  const { rows } = await session.execute<{ row: string }>(
    sql`select to_json(present)::text as row from ${sql.raw(relation)} as present order by 1`,
  )
  return rows.map(({ row }) => row)
}

/** Rows of some columns, in their order. */
export async function select(session: Session, query: string): Promise<Record<string, unknown>[]> {
  return (await session.execute(sql.raw(query))).rows
}

/** Rows that were ever written and read, by table. Counts of processes that have ended are complete. */
export async function countersOf(session: Session): Promise<Map<string, { written: number; read: number }>> {
  const { rows } = await session.execute<{ table: string; written: number; read: number }>(sql`
    select
      schemaname || '.' || relname as table,
      (n_tup_ins + n_tup_upd + n_tup_del)::integer as written,
      (seq_tup_read + coalesce(idx_tup_fetch, 0))::integer as read
    from pg_stat_user_tables
    where schemaname in ('intermediate', 'marts', 'raw', 'ingest')`)
  return new Map(rows.map(({ table, ...counters }) => [table, counters]))
}
