import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { countPartitionDaysAhead, createPartitionsAhead, PARTITION_DAYS_AHEAD } from '../../db/partitions.ts'
import { createDatabase } from '../support/database.ts'

test('the days ahead that have a partition are counted from tomorrow to the first day that has none', async () => {
  await using migrated = await createDatabase()
  const { database } = migrated
  const nameOf = async (daysAhead: number) => {
    const { rows } = await database.execute<{ name: string }>(
      sql`select to_char((now() at time zone 'UTC')::date + ${daysAhead}::integer, '"documents_"YYYYMMDD') as name`,
    )
    return rows[0]?.name
  }
  const drop = async (daysAhead: number) => database.execute(`drop table raw.${await nameOf(daysAhead)}`)
  const detach = async (daysAhead: number) =>
    database.execute(`alter table raw.documents detach partition raw.${await nameOf(daysAhead)}`)

  const counts = [await countPartitionDaysAhead(database)]
  await drop(0)
  counts.push(await countPartitionDaysAhead(database))
  await drop(20)
  counts.push(await countPartitionDaysAhead(database))
  await detach(10)
  counts.push(await countPartitionDaysAhead(database))
  await drop(1)
  counts.push(await countPartitionDaysAhead(database))

  expect(counts).toEqual([PARTITION_DAYS_AHEAD, PARTITION_DAYS_AHEAD, 19, 9, 0])
})

test('the count ends with the last partition, however many there are', async () => {
  await using migrated = await createDatabase()
  await createPartitionsAhead(migrated.database, 40)

  expect(await countPartitionDaysAhead(migrated.database)).toBe(40)
})
