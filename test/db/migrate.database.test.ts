import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getTableColumns, getTableName, sql } from 'drizzle-orm'
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core'
import { expect, test } from 'vitest'
import { openDatabase } from '../../db/client.ts'
import { migrateDatabase } from '../../db/migrate.ts'
import { createPartitionsAhead, PARTITION_DAYS_AHEAD } from '../../db/partitions.ts'
import * as schema from '../../db/schema.ts'
import { createDatabase, MIGRATIONS } from '../support/database.ts'

const migrationCount = readdirSync(MIGRATIONS).filter((file) => file.endsWith('.sql')).length

test('four migrations of an empty database at the same time all succeed, and apply each file once', async () => {
  await using empty = await createDatabase('empty')
  const connections = Array.from({ length: 4 }, () => openDatabase(empty.credentials, 'test'))
  const reports = await Promise.all(connections.map((connection) => migrateDatabase(connection, MIGRATIONS)))
  await Promise.all(connections.map((connection) => connection.$client.end()))

  expect(reports.map((report) => report.migrations)).toEqual(Array(4).fill(migrationCount))
  expect(reports.flatMap((report) => report.partitions)).toHaveLength(PARTITION_DAYS_AHEAD + 1)
})

test('today and the 30 days ahead have a partition, and asking again makes none', async () => {
  await using migrated = await createDatabase()
  expect(await createPartitionsAhead(migrated.database)).toEqual([])
  const partitions = await migrated.database.execute<{ bounds: string }>(sql`
    select pg_get_expr(relpartbound, oid) as bounds from pg_class where relispartition and relkind = 'r' order by relname`)
  expect(partitions.rows).toHaveLength(31)
  const today = new Date().toISOString().slice(0, 10)
  expect(partitions.rows[0]?.bounds).toContain(`FROM ('${today}')`)
})

test('the schema in code says exactly what the migrations make', async () => {
  await using migrated = await createDatabase()
  const tables = Object.values(schema).filter((value) => value instanceof PgTable)
  const inCode = tables.flatMap((table) =>
    Object.values(getTableColumns(table)).map(
      (column) => `${getTableConfig(table).schema}.${getTableName(table)}.${column.name} ${column.notNull}`,
    ),
  )
  const inDatabase = await migrated.database.execute<{ column: string }>(sql`
    select table_schema || '.' || table_name || '.' || column_name || ' ' || (is_nullable = 'NO')::text as column
    from information_schema.columns join information_schema.tables using (table_schema, table_name)
    where table_schema in ('ingest', 'raw') and table_type = 'BASE TABLE' and table_name !~ '^documents_'`)
  expect(inDatabase.rows.map((row) => row.column).toSorted()).toEqual(inCode.toSorted())
})

test('the schema has no change without a migration', () => {
  // drizzle-kit writes a migration when there is a difference, and exits 0 either way.
  const copy = mkdtempSync(join(tmpdir(), 'sluice-drift-'))
  try {
    cpSync(MIGRATIONS, join(copy, 'migrations'), { recursive: true })
    const schemaFile = join(import.meta.dirname, '../../db/schema.ts')
    const options = ['--dialect', 'postgresql', '--schema', schemaFile, '--out', join(copy, 'migrations')]
    execFileSync('drizzle-kit', ['generate', ...options, '--name', 'drift'], { stdio: 'pipe' })
    const generated = readdirSync(join(copy, 'migrations')).filter((file) => file.endsWith('.sql'))
    expect(generated, 'run npm run db:generate -- --name <purpose>').toHaveLength(migrationCount)
  } finally {
    rmSync(copy, { recursive: true })
  }
})

test('there is one lease, and never a second', async () => {
  await using migrated = await createDatabase()
  expect(await migrated.database.select().from(schema.transformLease)).toHaveLength(1)
  await expect(migrated.database.insert(schema.transformLease).values({ onlyRow: false })).rejects.toThrow()
})
