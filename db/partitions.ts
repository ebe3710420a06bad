/** The daily partitions of `raw.documents`. */
import { sql } from 'drizzle-orm'
import type { Session } from './client.ts'

/**
 * Days, beyond today, for which a partition is kept ready. There is no default partition, so a day without one refuses
 * its files; more days would only be more empty tables.
 */
export const PARTITION_DAYS_AHEAD = 30

/** Makes the partitions for today and the days ahead (UTC, by the database's clock) that do not exist. Returns their names. */
export async function createPartitionsAhead(session: Session, daysAhead = PARTITION_DAYS_AHEAD): Promise<string[]> {
  const missing = await session.execute<{ name: string; day: string; next: string }>(sql`
    select name, day::text, (day + 1)::text as next
    from generate_series(0, ${daysAhead}::integer) as ahead,
      lateral (select (now() at time zone 'UTC')::date + ahead as day) as days,
      lateral (select to_char(day, '"documents_"YYYYMMDD') as name) as names
    where to_regclass('raw.' || name) is null
    order by day`)
  for (const { name, day, next } of missing.rows) {
    await session.execute(
      sql.raw(`create table raw.${name} partition of raw.documents for values from ('${day}') to ('${next}')`),
    )
  }
  return missing.rows.map((row) => row.name)
}
