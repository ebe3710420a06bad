/** A fresh, migrated database for a test file. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { inject } from 'vitest'
import { type Database, type DatabaseCredentials, openDatabase } from '../../db/client.ts'
import { type Role, roles } from '../../db/passwords.ts'

export const TEMPLATE = 'sluice_template'
export const MIGRATIONS = join(import.meta.dirname, '../../db/migrations')

export interface TestDatabase extends AsyncDisposable {
  /** As the owner of everything. */
  readonly database: Database
  readonly credentials: DatabaseCredentials
  /** As a function connects. */
  readonly credentialsOf: (role: Role) => DatabaseCredentials
}

/** The roles belong to the server: every database of a test run knows them by the same passwords. */
export const PASSWORDS = Object.fromEntries(roles.map((role) => [role, `password-of-${role}`])) as Record<Role, string>

/** The same, as the build that sets them is given them. */
export const ROLE_PASSWORDS: Readonly<Record<string, string>> = Object.fromEntries(
  roles.map((role) => [`ROLE_${role.toUpperCase()}_PASSWORD`, PASSWORDS[role]]),
)

/** Clones the migrated template, or, with `'empty'`, makes a database with nothing in it. */
export async function createDatabase(content: 'migrated' | 'empty' = 'migrated'): Promise<TestDatabase> {
  const server = inject('database')
  const credentials = { ...server, dbname: `test_${randomBytes(6).toString('hex')}` }
  const maintenance = openDatabase({ ...server, dbname: 'postgres' }, 'test')
  const template = content === 'migrated' ? TEMPLATE : 'template0'
  await maintenance.execute(`create database ${credentials.dbname} template ${template}`)
  await maintenance.$client.end()
  const database = openDatabase(credentials, 'test')
  const credentialsOf = (role: Role) => ({ ...credentials, username: `sluice_${role}`, password: PASSWORDS[role] })
  return { database, credentials, credentialsOf, [Symbol.asyncDispose]: () => database.$client.end() }
}
