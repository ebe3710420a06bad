/** Brings a database to the present schema. Safe to run at the same time from several places. */
import { sql } from 'drizzle-orm'
import { migrate } from 'drizzle-orm/node-postgres/migrator'
import type { Database } from './client.ts'
import { createPartitionsAhead } from './partitions.ts'

/** Any fixed number does: whoever migrates takes the advisory lock of this name. */
const MIGRATION_LOCK = 7_583_001

export interface MigrationReport {
  /** Migrations that the database has now. */
  readonly migrations: number
  /** Names of the partitions that were made. */
  readonly partitions: readonly string[]
}

/**
 * Applies the migrations that are missing and makes the partitions ahead. Drizzle's migrator takes no lock, so a session
 * advisory lock stands around it; the pool's one connection is what holds it.
 *
 * @param folder path of `db/migrations`, or of its copy in a bundle
 */
export async function migrateDatabase(database: Database, folder: string): Promise<MigrationReport> {
  // A migration, and the wait for another one, may take longer than a statement of the hot path.
  await database.execute(sql`set statement_timeout = 0`)
  await database.execute(sql`set lock_timeout = 0`)
  await database.execute(sql`set transaction_timeout = 0`)
  await database.execute(sql`select pg_advisory_lock(${MIGRATION_LOCK})`)
  try {
    await migrate(database, { migrationsFolder: folder })
    const partitions = await createPartitionsAhead(database)
    const applied = await database.execute<{ count: string }>(
      sql`select count(*) as count from drizzle.__drizzle_migrations`,
    )
    return { migrations: Number(applied.rows[0]?.count), partitions }
  } finally {
    await database.execute(sql`select pg_advisory_unlock(${MIGRATION_LOCK})`)
  }
}
