/** Gives the roles that log in, made by `migrations/`, their passwords. */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import { sql } from 'drizzle-orm'
import type { Database } from './client.ts'

/** The roles, by what they are for. In the order in which migrations lock them, or one of each on a server would deadlock. */
export const roles = ['ingest', 'inspection', 'maintenance', 'reader', 'transform', 'erasure'] as const

export type Role = (typeof roles)[number]

/** What PostgreSQL itself takes. A password of 40 random characters is not guessed with fewer either. */
const ITERATIONS = 4_096

/**
 * Sets the password of every role, all of them or none. The server is sent what it would store, and never a password: its log
 * may hold statements. Repeating it is harmless, and connections that are open stay.
 */
export async function setPasswords(database: Database, passwords: Readonly<Record<Role, string>>): Promise<void> {
  await database.transaction(async (transaction) => {
    // In one order, and each only after its lock, which a comment takes: of two that do this at once one waits.
    for (const role of roles) {
      const name = sql.identifier(`sluice_${role}`)
      const { rows } = await transaction.execute<{ comment: string }>(
        sql`select coalesce(shobj_description(oid, 'pg_authid'), '') as comment from pg_roles where rolname = ${`sluice_${role}`}`,
      )
      await transaction.execute(sql`comment on role ${name} is ${sql.raw(literal(rows[0]?.comment ?? ''))}`)
      await transaction.execute(sql`alter role ${name} password ${sql.raw(literal(scramVerifier(passwords[role])))}`)
    }
  })
}

/** These statements take no parameters. */
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

/**
 * What PostgreSQL stores of a password, made here. The password must be ASCII, or it would have to be normalized first.
 * https://www.postgresql.org/docs/17/catalog-pg-authid.html, RFC 5802
 */
function scramVerifier(password: string): string {
  const salt = randomBytes(16)
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, 'sha256')
  const keyed = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest()
  const stored = createHash('sha256').update(keyed(salted, 'Client Key')).digest('base64')
  const server = keyed(salted, 'Server Key').toString('base64')
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${stored}:${server}`
}
