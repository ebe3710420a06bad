/** Why a database could not be migrated, in words that a build's log may hold. */
import pg from 'pg'
import { errorCode } from './errors.ts'

/** A statement of a migration was refused. Nothing of this run was kept. */
export class MigrationFailed extends Error {
  override readonly name = 'MigrationFailed'

  /** @param statement counted from 1 */
  constructor(migration: string, statement: number, statements: number, cause: unknown) {
    super(`${migration}, statement ${statement} of ${statements}: ${describeRefusal(cause)}`, { cause })
  }
}

/** The database was given another migration in this place than this release has. Nothing was done. */
export class MigrationsDiverge extends Error {
  override readonly name = 'MigrationsDiverge'
}

/** The program was not told where the database is. */
export class CredentialsMissing extends Error {
  override readonly name = 'CredentialsMissing'
}

/**
 * SQLSTATE classes whose messages are made of the statement and of names: feature not supported, dependent objects, no such
 * schema, wrong syntax or name, an object in use or in the wrong state. Others can quote the value of a row.
 */
const SAFE_MESSAGES = /^(0A|2B|3F|42|55)/

/** Severity and SQLSTATE, then the server's message where it cannot hold the data of a row, else what it is about by name. */
export function describeRefusal(error: unknown): string {
  let refusal: unknown = error
  while (refusal instanceof Error && !(refusal instanceof pg.DatabaseError)) refusal = refusal.cause
  // Not from the server: a connection that broke, a fault of ours. Drizzle's own messages hold the statement.
  if (!(refusal instanceof pg.DatabaseError)) {
    return errorCode(error) ?? (error instanceof Error ? error.name : typeof error)
  }
  const { severity = 'ERROR', code = '', message, internalQuery, schema, table, column, constraint } = refusal
  const head = `${severity} ${code}`
  // A statement that was put together on the server may quote what it was made of.
  if (SAFE_MESSAGES.test(code) && internalQuery === undefined) return `${head}: ${message}`
  const about = Object.entries({ table: table && `${schema}.${table}`, column, constraint })
  return [head, ...about.flatMap(([what, name]) => (name ? [`${what} ${name}`] : []))].join(', ')
}
