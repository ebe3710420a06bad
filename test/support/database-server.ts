/** Vitest global setup: one PostgreSQL for the whole run, with a migrated template that each test file clones. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { openDatabase } from '../../db/client.ts'
import { migrateDatabase } from '../../db/migrate.ts'
import { setPasswords } from '../../db/passwords.ts'
import { startPostgres } from '../../infra/local/postgres.ts'
import { MIGRATIONS, PASSWORDS, TEMPLATE } from './database.ts'

declare module 'vitest' {
  interface ProvidedContext {
    database: { host: string; port: number; username: string; password: string }
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-test-'))
  const { host, port, user: username, password, stop } = await startPostgres({ directory })
  const server = { host, port, username, password }

  const maintenance = openDatabase({ ...server, dbname: 'postgres' }, 'test-setup')
  await maintenance.execute(`create database ${TEMPLATE}`)
  await maintenance.$client.end()
  const template = openDatabase({ ...server, dbname: TEMPLATE }, 'test-setup')
  await migrateDatabase(template, MIGRATIONS)
  await setPasswords(template, PASSWORDS)
  // A database with an open connection cannot be cloned.
  await template.$client.end()

  project.provide('database', server)
  return async () => {
    await stop()
    rmSync(directory, { recursive: true, force: true })
  }
}
