/** The functions' way to the database: credentials from Secrets Manager, one connection, and what to do when either fails. */
import { setTimeout as wait } from 'node:timers/promises'
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { type Database, openDatabase } from '../db/client.ts'
import { isConnectionLost, isPasswordRefused } from '../db/errors.ts'
import { databaseSecret } from './contract.ts'
import { errorFacts, InvalidInput } from './errors.ts'
import { RECONNECT_WAITS_MS } from './limits.ts'
import { logger } from './logger.ts'

/**
 * Runs work on the database. The work may run more than once: it must be one transaction, or repeatable. When `end` is
 * aborted, the connection is cut and the work fails: a server that hangs is not waited for.
 */
export type WithDatabase = <Result>(work: (database: Database) => Promise<Result>, end?: AbortSignal) => Promise<Result>

/**
 * Makes the access to the database of one secret. The secret is read at the first use and kept; when the password is refused
 * it has been rotated, and is read again once. A lost connection is replaced, up to twice with 1.5 s of waiting in all,
 * since giving a batch back to the queue costs 7 minutes.
 *
 * @throws {InvalidInput} when the secret lacks a field; any database error that outlasts the tries
 */
export function databaseFromSecret(
  secrets: SecretsManagerClient,
  secretArn: string,
  applicationName: string,
): WithDatabase {
  let database: Database | undefined

  return async (work, end) => {
    const cut = () => database?.$cut()
    end?.addEventListener('abort', cut, { once: true })
    let mayReadSecretAgain = true
    try {
      for (let tries = 0; ; ) {
        try {
          end?.throwIfAborted()
          database ??= openDatabase(await readCredentials(secrets, secretArn), applicationName)
          return await work(database)
        } catch (error) {
          if (isPasswordRefused(error) && mayReadSecretAgain) {
            mayReadSecretAgain = false
            await database?.$client.end()
            database = undefined
            continue
          }
          const pause = RECONNECT_WAITS_MS[tries++]
          if (!isConnectionLost(error) || pause === undefined || end?.aborted) throw error
          logger.warn('connection lost, trying again', { try: tries, ...errorFacts(error) })
          await wait(pause)
        }
      }
    } finally {
      end?.removeEventListener('abort', cut)
    }
  }
}

async function readCredentials(secrets: SecretsManagerClient, secretArn: string) {
  const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: secretArn }))
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
