/**
 * Errors that have a name because somebody acts on it: the state machine, an operator, the code that retries. A bad file is
 * never an error; it is data with a reason.
 */
import { S3ServiceException } from '@aws-sdk/client-s3'
import { errorCode } from '../db/errors.ts'

/** The body ended before its Content-Length: the network's fault, not the file's. The message returns to the queue. */
export class IncompleteBody extends Error {
  override readonly name = 'IncompleteBody'
}

/** The database neither answered nor failed before the invocation had to end. */
export class DatabaseUnresponsive extends Error {
  override readonly name = 'DatabaseUnresponsive'
}

/** The ledger could not be read: the database is down, or too slow. Told to whoever asked; asking again is harmless. */
export class LedgerNotRead extends Error {
  override readonly name = 'LedgerNotRead'
}

/** A message whose files are not all committed: it returns to the queue. */
export class NotCommitted extends Error {
  override readonly name = 'NotCommitted'
}

/** Some files could not be quarantined for reasons that may pass (S3, database). Those that could, are; run again. */
export class QuarantineIncomplete extends Error {
  override readonly name = 'QuarantineIncomplete'
}

/** A file could not be loaded for a reason that may pass (S3, database). It stays a dead letter; try again. */
export class LoadFailed extends Error {
  override readonly name = 'LoadFailed'
}

/** A drain is at its end and some of its dead letters could not be loaded. Redrive the execution when the cause is mended. */
export class DeadLettersRemain extends Error {
  override readonly name = 'DeadLettersRemain'
}

/** No transform runs, and none could be started either: the account's quota of builds is too small, or they wait too long. */
export class TransformNotStarted extends Error {
  override readonly name = 'TransformNotStarted'
}

/** A build that a deployment started has failed. The message holds the end of its log: what fails the deployment says why. */
export class BuildFailed extends Error {
  override readonly name = 'BuildFailed'
  /** The deployment hands message and stack on to CloudFormation, which takes 4 kB: a stack would only repeat the message. */
  override readonly stack = 'BuildFailed'
}

/** A build could not be started, or has not ended, in the time of the function. */
export class BuildUnfinished extends Error {
  override readonly name = 'BuildUnfinished'
}

/** An erasure was cut short. What it removed is removed; run again, it goes on. */
export class ErasureIncomplete extends Error {
  override readonly name = 'ErasureIncomplete'
}

/** SQS refused some messages of a replay, or of what a listing found; they are sent again. */
export class MessagesNotSent extends Error {
  override readonly name = 'MessagesNotSent'
}

/** A value from outside (environment, input, secret) is not what it must be. The message names the place, not the value. */
export class InvalidInput extends Error {
  override readonly name = 'InvalidInput'
}

/** What may be logged of an error: name, code and HTTP status. Messages can carry row data or keys and are left out. */
export function errorFacts(error: unknown): { error: string; code?: string; httpStatus?: number } {
  if (!(error instanceof Error)) return { error: typeof error }
  const code = errorCode(error)
  const httpStatus = httpStatusOf(error)
  return { error: error.name, ...(code !== undefined && { code }), ...(httpStatus !== undefined && { httpStatus }) }
}

/** The status in the `$metadata` that every error of the AWS SDK carries. */
function httpStatusOf(error: Error): number | undefined {
  if (!('$metadata' in error) || typeof error.$metadata !== 'object' || error.$metadata === null) return undefined
  const { httpStatusCode } = error.$metadata as { httpStatusCode?: unknown }
  return typeof httpStatusCode === 'number' ? httpStatusCode : undefined
}

/** A 404 of the key or the version. A missing bucket is a 404 too, and never the file's fault. */
export function isVersionMissing(error: unknown): boolean {
  return error instanceof S3ServiceException && /^NoSuch(Key|Version)$/.test(error.name)
}
