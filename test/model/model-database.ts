/** The database of the model: as awkward as an owner may have made it, and with a clock that can be put forward. */
import { sql } from 'drizzle-orm'
import { type Database, type DatabaseCredentials, openDatabase } from '../../db/client.ts'

/** Turns of an empty loop of PL/pgSQL: 0.1 ms. */
const SPINS_PER_ROW = 20_000

/**
 * A database that sorts text in natural order (`9` before `10`), as its owner may have wished: what must be compared byte by
 * byte has to say so. Deadlocks show after 100 ms instead of a second.
 */
export async function createDatabase(credentials: DatabaseCredentials): Promise<void> {
  const maintenance = openDatabase({ ...credentials, dbname: 'postgres' }, 'model')
  await maintenance.execute(
    `create database ${credentials.dbname} template template0
      encoding 'UTF8' locale 'C' locale_provider icu icu_locale 'und-u-kn-true'`,
  )
  await maintenance.execute(`alter database ${credentials.dbname} set deadlock_timeout = '100ms'`)
  await maintenance.$client.end()
}

/**
 * Makes the ledger take its time over every row, 0.1 ms. The functions of a program share a thread, which sends one statement
 * a millisecond after the other; they meet in the middle of their rows, as functions of their own do, only if it takes longer.
 *
 * The clock: two functions that stand before PostgreSQL's own of the same name in the search path of the model's roles, and in
 * the defaults of columns.
 */
export async function prepareDatabase(observer: Database): Promise<void> {
  await observer.execute(`
    create function take_time() returns trigger language plpgsql as $$ begin
      for n in 1..${SPINS_PER_ROW} loop end loop;
      return new;
    end $$;
    create trigger take_time before insert on ingest.files for each row execute function take_time();

    create schema clock;
    grant usage on schema clock to public;
    create table clock.days_ahead as select 0 as days;
    grant select on clock.days_ahead to public;
    create function clock.now() returns timestamptz stable language sql
      return pg_catalog.now() + (select days * interval '24 hours' from clock.days_ahead);
    create function clock.clock_timestamp() returns timestamptz volatile language sql
      return pg_catalog.clock_timestamp() + (select days * interval '24 hours' from clock.days_ahead);
    alter table ingest.files alter created_at set default clock.now(), alter changed_at set default clock.now()`)
}

/** A role with what a purpose needs and nothing more, which goes by the model's clock. */
export async function createRole(
  observer: Database,
  username: string,
  purpose: 'ingest' | 'maintenance',
): Promise<void> {
  await observer.execute(sql.raw(`create role ${username} login password 'first' in role sluice_${purpose}`))
  await observer.execute(sql.raw(`alter role ${username} set search_path = clock, pg_catalog`))
}

export async function dropRoles(observer: Database, usernames: readonly string[]): Promise<void> {
  for (const username of usernames) await observer.execute(sql.raw(`drop role ${username}`))
}

/** Puts the clock so many days ahead, for all that begins from now on. Returns the day that it is (UTC, `YYYY-MM-DD`). */
export async function setClock(observer: Database, daysAhead: number): Promise<string> {
  await observer.execute(sql`update clock.days_ahead set days = ${daysAhead}::integer`)
  const { rows } = await observer.execute<{ day: string }>(
    sql`select (clock.now() at time zone 'UTC')::date::text as day`,
  )
  return rows[0]?.day ?? ''
}

/** What earlier programs left, however they ended, is no concern of the next: none sweeps or replays another's files. */
export async function emptyDatabase(observer: Database): Promise<void> {
  await observer.execute(`
    delete from raw.documents;
    delete from ingest.messages;
    delete from ingest.files;
    delete from ingest.replays;
    delete from ingest.batches;
    update ingest.transform_lease set held_by = null, held_until = null`)
}
