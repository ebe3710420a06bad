/** Connections to the database, and the types that every question in this folder takes as its first argument. */
import { drizzle, type NodePgDatabase, type NodePgQueryResultHKT } from 'drizzle-orm/node-postgres'
import type { PgDatabase } from 'drizzle-orm/pg-core'
import pg from 'pg'

/** A database or a transaction in it: what a question is asked of. */
export type Session = PgDatabase<NodePgQueryResultHKT>

export type Database = NodePgDatabase & {
  $client: pg.Pool
  /** Cuts the connection for good, whatever it is doing: the question under way fails at once, even when the server hangs. */
  $cut: () => void
}

/** The fields of a database secret, named as RDS names them. */
export interface DatabaseCredentials {
  readonly host: string
  readonly port: number
  readonly dbname: string
  readonly username: string
  readonly password: string
}

/** Milliseconds to wait for a connection. Shorter fails on a database that is merely busy; longer eats the function's time. */
const CONNECT_TIMEOUT_MS = 5_000

/**
 * Opens a pool of exactly one connection: a batch is one transaction, and the number of functions that run at once is then
 * the number of connections. The connection is made by the first question, and made anew after it breaks. How long the server
 * lets it work and wait is said by its role, in `migrations/0004_roles.sql`.
 *
 * @param certificates PEM of those who may vouch for the server: the connection is encrypted, and a server that is not vouched
 *   for by this name is refused. Without them nothing is encrypted.
 */
export function openDatabase(
  credentials: DatabaseCredentials,
  applicationName: string,
  certificates?: readonly string[],
): Database {
  const pool = new pg.Pool({
    host: credentials.host,
    port: credentials.port,
    database: credentials.dbname,
    user: credentials.username,
    password: credentials.password,
    application_name: applicationName,
    max: 1,
    // A batching window is longer than the default of 10 s, and nearly every batch would reconnect.
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    // Said either way: pg would otherwise go by PGSSLMODE, which may ask for encryption without verification.
    ssl: certificates !== undefined && { ca: [...certificates], rejectUnauthorized: true },
  })
  let connection: pg.PoolClient | undefined
  let isCut = false
  const cut = () => {
    isCut = true
    connection?.connection.stream.destroy()
  }
  pool.on('connect', (client) => {
    connection = client
    if (isCut) cut()
    // A connection that breaks would otherwise end the process, whether it is idle or in use. The question under way fails
    // by itself, and the pool makes a new connection for the next one.
    client.on('error', () => {})
  })
  pool.on('error', () => {})
  return Object.assign(drizzle(pool), { $cut: cut })
}
