/**
 * The program of the build `migrate`. Needs nothing but what lies beside it (`buildspec.yml`), PGHOST, PGPORT, PGDATABASE,
 * PGUSER, PGPASSWORD, PGSSLMODE and PGSSLROOTCERT as libpq knows them, and ROLE_<role>_PASSWORD for each role. Exits with 0
 * when the database has at least the schema of this release, and the roles have these passwords.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type Database, type DatabaseCredentials, openDatabase } from './client.ts'
import { errorCode, isConnectionLost } from './errors.ts'
import { migrateDatabase } from './migrate.ts'
import { CredentialsMissing, describeRefusal, MigrationFailed, MigrationsDiverge } from './migration-errors.ts'
import { type Role, roles, setPasswords } from './passwords.ts'

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

/** Values of the environment, all of which must be there. */
function readVariables<Name extends string>(names: readonly Name[]): Record<Name, string> {
  const missing = names.filter((name) => !process.env[name])
  if (missing.length > 0)
    throw new CredentialsMissing(`Not set: ${missing.join(', ')}. The project sets them from its secrets.`)
  return Object.fromEntries(names.map((name) => [name, process.env[name]])) as Record<Name, string>
}

function readCredentials(): DatabaseCredentials {
  const given = readVariables(['PGHOST', 'PGPORT', 'PGDATABASE', 'PGUSER', 'PGPASSWORD'])
  return {
    host: given.PGHOST,
    port: Number(given.PGPORT),
    dbname: given.PGDATABASE,
    username: given.PGUSER,
    password: given.PGPASSWORD,
  }
}

/** Undefined when nothing is to be encrypted. Modes that encrypt and verify nothing are not offered. */
function readCertificates(): string[] | undefined {
  const { PGSSLMODE } = readVariables(['PGSSLMODE'])
  if (PGSSLMODE === 'disable') return undefined
  if (PGSSLMODE !== 'verify-full')
    throw new CredentialsMissing(`PGSSLMODE is ${PGSSLMODE}. It must be verify-full or disable.`)
  return [readFileSync(readVariables(['PGSSLROOTCERT']).PGSSLROOTCERT, 'utf8')]
}

function readPasswords(): Record<Role, string> {
  const nameOf = (role: Role) => `ROLE_${role.toUpperCase()}_PASSWORD`
  const given = readVariables(roles.map(nameOf))
  return Object.fromEntries(roles.map((role) => [role, given[nameOf(role)]])) as Record<Role, string>
}

type Work<Result> = (database: Database) => Promise<Result>

/** @param connect opens the database anew for each try */
async function doOrTryAgain<Result>(connect: () => Database, work: Work<Result>): Promise<Result> {
  const giveUpAt = Date.now() + TRY_FOR_MS
  for (let told = ''; ; ) {
    const database = connect()
    try {
      return await work(database)
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

let isMigrated = false
try {
  const [credentials, certificates, passwords] = [readCredentials(), readCertificates(), readPasswords()]
  const connect = () => openDatabase(credentials, 'sluice-migrate', certificates)
  const { migrations, applied, unknown, partitions } = await doOrTryAgain(connect, (database) =>
    migrateDatabase(database, join(import.meta.dirname, 'migrations'), (name, milliseconds) =>
      console.log(`${name} in ${milliseconds} ms`),
    ),
  )
  isMigrated = true
  if (unknown > 0) {
    console.warn(
      `WARNING: nothing to do, the database is newer than this release: it has ${migrations} migrations, and ${unknown} of ` +
        'them are unknown here. Migrations only add, so this release works with it.',
    )
  } else {
    console.log(`${applied.length} applied, ${migrations} in all; ${partitions.length} partitions made.`)
  }
  await doOrTryAgain(connect, (database) => setPasswords(database, passwords))
  console.log(`Passwords set of ${roles.length} roles.`)
} catch (error) {
  const what = isMigrated
    ? 'Migrated, but the roles have not got their passwords.'
    : 'Not migrated, nothing was changed.'
  console.error(`${what} ${describe(error)}`)
  process.exitCode = 1
}
