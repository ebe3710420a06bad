/** Brings a database to the schema of this release. Safe to run at the same time from several places. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import type { Database, Session } from './client.ts'
import { MigrationFailed, MigrationsDiverge } from './migration-errors.ts'
import { createPartitionsAhead } from './partitions.ts'

/** Any fixed number does: whoever migrates takes the advisory lock of this name. */
const MIGRATION_LOCK = 7_583_001

/**
 * Longest wait for a lock on a table. Whoever comes after a migration that waits, waits behind it: beyond 10 s their own
 * limit would fail them. A migration that gives up can be tried again.
 */
const LOCK_TIMEOUT = '5s'

interface Migration {
  readonly name: string
  /** When it was generated, in milliseconds. Its order among the others. */
  readonly generatedAt: number
  readonly hash: string
  readonly statements: readonly string[]
}

export interface MigrationReport {
  /** Migrations that the database has now. */
  readonly migrations: number
  /** Names of those that this run applied. */
  readonly applied: readonly string[]
  /** Migrations that the database has and this release does not know. If there are any, it is newer, and nothing was done. */
  readonly unknown: number
  /** Names of the partitions that were made. */
  readonly partitions: readonly string[]
}

/**
 * Applies the migrations that are missing and makes the partitions ahead, in one transaction: all of it or nothing. Keeps
 * its record where drizzle's own migrator does, which takes no lock, and cannot say which statement failed.
 *
 * @param folder path of `db/migrations`, or of its copy in a bundle
 * @param onApplied called after each migration, before the commit
 * @throws {MigrationsDiverge} when the database has had other migrations than these
 * @throws {MigrationFailed} when a statement is refused, a lock that is held too long included
 */
export async function migrateDatabase(
  database: Database,
  folder: string,
  onApplied: (name: string, milliseconds: number) => void = () => {},
): Promise<MigrationReport> {
  const migrations = readMigrations(folder)
  return await database.transaction(async (transaction) => {
    // A migration, and the wait for another one, may take longer than a statement of the hot path.
    await transaction.execute(sql`set local statement_timeout = 0`)
    await transaction.execute(sql`set local transaction_timeout = 0`)
    await transaction.execute(sql`set local lock_timeout = 0`)
    await transaction.execute(sql`select pg_advisory_xact_lock(${MIGRATION_LOCK})`)
    await transaction.execute(sql.raw(`set local lock_timeout = '${LOCK_TIMEOUT}'`))

    const recorded = await readRecord(transaction)
    requireSame(recorded, migrations)
    const unknown = Math.max(0, recorded.length - migrations.length)
    if (unknown > 0) return { migrations: recorded.length, applied: [], unknown, partitions: [] }

    const missing = migrations.slice(recorded.length)
    for (const migration of missing) {
      const startedAt = performance.now()
      await applyMigration(transaction, migration)
      onApplied(migration.name, Math.round(performance.now() - startedAt))
    }
    const partitions = await createPartitionsAhead(transaction)
    return { migrations: migrations.length, applied: missing.map(({ name }) => name), unknown, partitions }
  })
}

function readMigrations(folder: string): Migration[] {
  const journal: { entries: { tag: string; when: number }[] } = JSON.parse(
    readFileSync(join(folder, 'meta/_journal.json'), 'utf8'),
  )
  return journal.entries.map(({ tag, when }) => {
    const text = readFileSync(join(folder, `${tag}.sql`), 'utf8')
    return {
      name: tag,
      generatedAt: when,
      hash: createHash('sha256').update(text).digest('hex'),
      statements: text.split('--> statement-breakpoint').filter((statement) => statement.trim() !== ''),
    }
  })
}

/** What the database says was applied to it, in that order. */
async function readRecord(session: Session): Promise<{ hash: string; generatedAt: number }[]> {
  await session.execute(sql`create schema if not exists drizzle`)
  await session.execute(sql`
    create table if not exists drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)`)
  const { rows } = await session.execute<{ hash: string; created_at: string }>(
    sql`select hash, created_at from drizzle.__drizzle_migrations order by id`,
  )
  return rows.map(({ hash, created_at }) => ({ hash, generatedAt: Number(created_at) }))
}

function requireSame(
  recorded: readonly { hash: string; generatedAt: number }[],
  migrations: readonly Migration[],
): void {
  const position = recorded.findIndex(({ hash }, index) => migrations[index] && migrations[index].hash !== hash)
  const [theirs, ours] = [recorded[position], migrations[position]]
  if (theirs === undefined || ours === undefined) return
  throw new MigrationsDiverge(
    `Migration ${position + 1} is ${ours.name} here, and in the database another one, generated at ` +
      `${new Date(theirs.generatedAt).toISOString()}. What was applied is never changed, removed or reordered: take ` +
      'db/migrations as it was in the release that is deployed, and put what is new into a migration after those ' +
      '(npm run db:generate -- --name <purpose>).',
  )
}

async function applyMigration(session: Session, { name, generatedAt, hash, statements }: Migration): Promise<void> {
  for (const [index, statement] of statements.entries()) {
    try {
      await session.execute(sql.raw(statement))
    } catch (error) {
      throw new MigrationFailed(name, index + 1, statements.length, error)
    }
  }
  await session.execute(
    sql`insert into drizzle.__drizzle_migrations (hash, created_at) values (${hash}, ${generatedAt})`,
  )
}
