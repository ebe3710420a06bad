/** Days of the past with documents, for tests of what is dropped by age. */
import { sql } from 'drizzle-orm'
import type { Database } from '../../db/client.ts'
import { insertDocuments } from '../../db/documents.ts'
import { type FileRecord, recordFiles } from '../../db/files.ts'
import { transforms } from '../../db/schema.ts'
import { fileRecord } from './ledger.ts'

export interface PastDay {
  readonly day: string
  /** Of its partition, without schema. */
  readonly partition: string
  /** Ids of its files. */
  readonly fileIds: readonly number[]
}

/** Makes the partition of a day so many days ago (UTC), with a loaded document for each of the given files. */
export async function makePastDay(
  owner: Database,
  daysAgo: number,
  given: readonly Partial<FileRecord>[] = [{}],
): Promise<PastDay> {
  const { rows } = await owner.execute<{ day: string; partition: string }>(sql`
    select day::text, to_char(day, '"documents_"YYYYMMDD') as partition
    from (select (now() at time zone 'UTC')::date - ${daysAgo}::integer as day) as past`)
  const { day = '', partition = '' } = rows[0] ?? {}
  await owner.execute(
    sql.raw(
      `create table raw.${partition} partition of raw.documents for values from ('${day}') to (date '${day}' + 1)`,
    ),
  )
  const records = given.map((fields) => fileRecord({ ...fields, loadedOn: day }))
  const recorded = await recordFiles(owner, records)
  await insertDocuments(
    owner,
    day,
    recorded.map(({ id }) => ({ fileId: id, source: 'orders', bytes: Buffer.from('{}') })),
  )
  return { day, partition, fileIds: recorded.map(({ id }) => id) }
}

/** A run of dbt that succeeded and has read everything that is there now. */
export async function succeedTransform(owner: Database): Promise<void> {
  // Not from the oldest transaction that runs, as a real one: that may be of another test's database on this server.
  const readBelow = sql`pg_snapshot_xmax(pg_current_snapshot())`
  await owner.insert(transforms).values({ outcome: 'succeeded', endedAt: new Date(), readBelow })
}

/** Partitions of the past that are there, attached or not. */
export async function pastPartitions(owner: Database): Promise<string[]> {
  const { rows } = await owner.execute<{ name: string }>(sql`
    select relname as name from pg_class
    where relnamespace = 'raw'::regnamespace and relkind = 'r'
      and relname < to_char((now() at time zone 'UTC')::date, '"documents_"YYYYMMDD') order by 1`)
  return rows.map(({ name }) => name)
}
