/** The daily partitions of `raw.documents` that are older than they are kept for, and how they are dropped beside running work. */
import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import type { Database, Session } from './client.ts'
import { errorCode } from './errors.ts'

/**
 * The advisory lock of whoever detaches a partition. A model of dbt that replaces records shares it for its transaction
 * (`dbt/macros/touched.sql`): it would otherwise see a document in one statement, and not in the next.
 */
const DETACH_LOCK = 7_583_003

/**
 * Longest wait for transactions that may still read a partition. Nobody waits behind it: loading never does, and of dbt only
 * a model that is about to begin. Shorter gives up on a busy second, longer holds dbt up and eats the sweep's time.
 */
const DETACH_WAIT = '2s'

/** A day whose documents are older than they are kept for. */
export interface OldDay {
  /** `YYYY-MM-DD`. */
  readonly day: string
  /** `pending`: detaching it was begun and not finished. `detached`: only dropping it is left to do. */
  readonly state: 'attached' | 'pending' | 'detached'
}

/**
 * The days (UTC, by the database's clock) that ended more than so many days ago and still have their documents. First those
 * with which a sweep before has begun, since PostgreSQL detaches one at a time; then the oldest.
 */
export async function findOldDays(session: Session, retentionDays: number): Promise<OldDay[]> {
  const { rows } = await session.execute<OldDay & Record<string, unknown>>(sql`
    select day::text, state
    from pg_class
    left join pg_inherits on inhrelid = pg_class.oid
    cross join lateral (select
      to_date(relname, '"documents_"YYYYMMDD') as day,
      case when inhrelid is null then 'detached' when inhdetachpending then 'pending' else 'attached' end as state) as old
    where relnamespace = 'raw'::regnamespace and relkind = 'r' and relname ~ '^documents_[0-9]{8}$'
      and day < (now() at time zone 'UTC')::date - ${retentionDays}::integer
    order by state = 'attached', day`)
  return rows
}

/**
 * Whether the marts have everything of a day: each of its documents was loaded below what the last transform that succeeded
 * had read, and below what every model has read that reads documents of its source. The former covers models that such a
 * transform left out, since they had nothing to read; the latter those that were set back since.
 *
 * A transform of another server, above every transaction of this one, says nothing: as in `dbt/ledger.py`.
 */
async function isDayTransformed(session: Session, day: string): Promise<boolean> {
  const { rows } = await session.execute<{ isTransformed: boolean }>(sql`
    with last as (
      select coalesce((
        select read_below from ingest.transforms
        where outcome = 'succeeded' and read_below <= pg_snapshot_xmax(pg_current_snapshot())
        order by id desc limit 1
      ), '0'::xid8) as read_below
    )
    select not exists (
      select
      from raw.documents as document
      inner join ingest.files as file on file.id = document.file_id
      cross join last
      where document.loaded_on = ${day}::date
        and (
          file.changed_xid >= last.read_below
          or exists (
            select from ingest.transform_watermarks as model
            where model.source = file.source and model.read_below <= file.changed_xid
          )
        )
    ) as "isTransformed"`)
  return rows[0]?.isTransformed ?? false
}

/** `unread`: some marts do not have it yet. `busy`: somebody reads it, or a model of dbt runs; try again. */
export type DropOutcome = 'dropped' | 'unread' | 'busy'

/**
 * Drops the documents of a day, unless the marts still need them. Detaching them holds no lock that ingest waits for, so it
 * may be cut short by a transaction that lasts: then it is `pending`, its documents are no longer seen, and it is finished when
 * this is called again.
 *
 * On a connection of its own, closed afterwards: neither role nor limits outlive it. Detaching CONCURRENTLY is refused within a
 * transaction or a function, so none can lend the owner's right for it: this is the one place that takes the owner's role.
 */
export async function dropDay(database: Database, { day, state }: OldDay): Promise<DropOutcome> {
  const partition = sql.raw(`raw.documents_${day.replaceAll('-', '')}`)
  const client = await database.$client.connect()
  try {
    const session = drizzle(client)
    await session.execute(sql.raw(`set lock_timeout = '${DETACH_WAIT}'`))
    await session.execute(sql`select pg_advisory_lock(${DETACH_LOCK})`)
    if (state === 'attached' && !(await isDayTransformed(session, day))) return 'unread'
    if (state !== 'detached') {
      const how = sql.raw(state === 'pending' ? 'finalize' : 'concurrently')
      await session.execute(sql`set role sluice_documents`)
      await session.execute(sql`alter table raw.documents detach partition ${partition} ${how}`)
      await session.execute(sql`reset role`)
    }
    await session.execute(sql`select raw.drop_partition(${day}::date)`)
    return 'dropped'
  } catch (error) {
    if (isBusy(error)) return 'busy'
    throw error
  } finally {
    client.release(true)
  }
}

/** A lock that did not come in time (55P03), or a deadlock that was resolved at our cost (40P01). */
const isBusy = (error: unknown): boolean => /^(55P03|40P01)$/.test(errorCode(error) ?? '')
