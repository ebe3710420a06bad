/**
 * The program of the build `migrate`. Needs nothing but what lies beside it (`buildspec.yml`), and PGHOST, PGPORT,
 * PGDATABASE, PGUSER, PGPASSWORD and PGSSLMODE. Exits with 0 when the database has at least the schema of this release.
 */
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type DatabaseCredentials, openDatabase } from './client.ts'
import { errorCode, isConnectionLost } from './errors.ts'
import { type MigrationReport, migrateDatabase } from './migrate.ts'
import { CredentialsMissing, describeRefusal, MigrationFailed, MigrationsDiverge } from './migration-errors.ts'

/**
 * How long to try. A database that starts or fails over is back within a minute, and whoever holds a lock, for 45 s at most,
 * is done; less fails deployments for nothing, more hides for longer that the database is down.
 */
const TRY_FOR_MS = 120_000

const PAUSE_MS = 2_000

/**
 * A lock was held too long, or two waited for each other (55P03, 40P01), or the sweep made the same partition at the same
 * moment (42P07, 23505): all was rolled back, and may be tried again.
 */
function isBusy(error: unknown): boolean {
  const codes = error instanceof MigrationFailed ? /^(55P03|40P01)$/ : /^(55P03|40P01|42P07|23505)$/
  return codes.test(errorCode(error) ?? '')
}

function readCredentials(): DatabaseCredentials {
  const names = ['PGHOST', 'PGPORT', 'PGDATABASE', 'PGUSER', 'PGPASSWORD'] as const
  const missing = names.filter((name) => !process.env[name])
  if (missing.length > 0)
    throw new CredentialsMissing(`Not set: ${missing.join(', ')}. The project sets them from the secret.`)
  const [host = '', port, dbname = '', username = '', password = ''] = names.map((name) => process.env[name])
  return { host, port: Number(port), dbname, username, password }
}

async function migrateOrTryAgain(credentials: DatabaseCredentials): Promise<MigrationReport> {
  const giveUpAt = Date.now() + TRY_FOR_MS
  for (let told = ''; ; ) {
    const database = openDatabase(credentials, 'sluice-migrate')
    try {
      return await migrateDatabase(database, join(import.meta.dirname, 'migrations'), (name, milliseconds) =>
        console.log(`${name} in ${milliseconds} ms`),
      )
    } catch (error) {
      const left = giveUpAt - Date.now()
      if (!(isConnectionLost(error) || isBusy(error)) || left < PAUSE_MS) throw error
      const why = describe(error)
      if (why !== told) console.log(`${why}. Trying again for ${Math.round(left / 1_000)} s.`)
      told = why
      await wait(PAUSE_MS)
    } finally {
      // Not waited for: a connection that broke might never end.
      database.$cut()
    }
  }
}

/** Errors of ours say what they may; of others only the code is safe. */
function describe(error: unknown): string {
  const isOurs = [MigrationFailed, MigrationsDiverge, CredentialsMissing].some((kind) => error instanceof kind)
  if (isOurs && error instanceof Error) return error.message
  return isConnectionLost(error)
    ? `No connection to the database (${errorCode(error) ?? 'lost'})`
    : describeRefusal(error)
}

try {
  const credentials = readCredentials()
  const { migrations, applied, unknown, partitions } = await migrateOrTryAgain(credentials)
  if (unknown > 0) {
    console.warn(
      `WARNING: nothing to do, the database is newer than this release: it has ${migrations} migrations, and ${unknown} of ` +
        'them are unknown here. Migrations only add, so this release works with it.',
    )
  } else {
    console.log(`${applied.length} applied, ${migrations} in all; ${partitions.length} partitions made.`)
  }
} catch (error) {
  console.error(`Not migrated, nothing was changed. ${describe(error)}`)
  process.exitCode = 1
}
