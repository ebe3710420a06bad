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
  const missing = await session.execute<{ name: string; day: string }>(sql`
    select name, day::text
    from generate_series(0, ${daysAhead}::integer) as ahead,
      lateral (select (now() at time zone 'UTC')::date + ahead as day) as days,
      lateral (select to_char(day, '"documents_"YYYYMMDD') as name) as names
    where to_regclass('raw.' || name) is null
    order by day`)
  // By a function that lends the owner's right: the sweep's role has none of its own to make tables.
  for (const { day } of missing.rows) await session.execute(sql`select raw.create_partition(${day}::date)`)
  return missing.rows.map((row) => row.name)
}

/**
 * How many days after today (UTC, by the database's clock) have a partition, up to the first that has none: so long would
 * files be taken if no more were made. Looks at what is attached, and not at what was meant to be.
 */
export async function countPartitionDaysAhead(session: Session): Promise<number> {
  const { rows } = await session.execute<{ days: number }>(sql`
    with partitions as (
      select to_date(relname, '"documents_"YYYYMMDD') - (now() at time zone 'UTC')::date as days_ahead
      from pg_inherits join pg_class on oid = inhrelid
      where inhparent = 'raw.documents'::regclass and relname ~ '^documents_[0-9]{8}$'
    ), numbered as (
      select days_ahead, row_number() over (order by days_ahead) as position from partitions where days_ahead > 0
    )
    select count(*)::integer as days from numbered where days_ahead = position`)
  return rows[0]?.days ?? 0
}
