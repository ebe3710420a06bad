/** A fresh, migrated database for a test file. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { inject } from 'vitest'
import { type Database, type DatabaseCredentials, openDatabase } from '../../db/client.ts'

export const TEMPLATE = 'sluice_template'
export const MIGRATIONS = join(import.meta.dirname, '../../db/migrations')

export interface TestDatabase extends AsyncDisposable {
  readonly database: Database
  readonly credentials: DatabaseCredentials
}

/** Clones the migrated template, or, with `'empty'`, makes a database with nothing in it. */
export async function createDatabase(content: 'migrated' | 'empty' = 'migrated'): Promise<TestDatabase> {
  const server = inject('database')
  const credentials = { ...server, dbname: `test_${randomBytes(6).toString('hex')}` }
  const maintenance = openDatabase({ ...server, dbname: 'postgres' }, 'test')
  const template = content === 'migrated' ? TEMPLATE : 'template0'
  await maintenance.execute(`create database ${credentials.dbname} template ${template}`)
  await maintenance.$client.end()
  const database = openDatabase(credentials, 'test')
  return { database, credentials, [Symbol.asyncDispose]: () => database.$client.end() }
}
