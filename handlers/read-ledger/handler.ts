/** The Lambda function that answers the command line, which cannot reach a database in a private subnet. It only reads. */
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import type { Context } from 'aws-lambda'
import { databaseFromSecret } from '../database.ts'
import { readEnvironment } from '../env.ts'
import { ANSWER_TIME_MS, AWS_CONNECT_TIMEOUT_MS } from '../limits.ts'
import { countOf, emitMetrics } from '../metrics.ts'
import { answer, type LedgerDependencies } from './answer.ts'
import { parseQuestion } from './contract.ts'

let dependencies: LedgerDependencies | undefined

function makeDependencies(): LedgerDependencies {
  const environment = readEnvironment('DATABASE_SECRET_ARN', 'DATABASE_SSL', 'LANDING_BUCKET_ARN')
  const { LANDING_BUCKET_ARN } = environment
  const secrets = new SecretsManagerClient({ requestHandler: { connectionTimeout: AWS_CONNECT_TIMEOUT_MS } })
  return {
    withDatabase: databaseFromSecret(secrets, environment, 'sluice-read-ledger'),
    // The ARN of a bucket has neither region nor account: arn:aws:s3:::name.
    bucket: LANDING_BUCKET_ARN.slice(LANDING_BUCKET_ARN.lastIndexOf(':') + 1),
  }
}

export const handler = async (input: unknown, context: Context) => {
  const question = parseQuestion(input)
  dependencies ??= makeDependencies()
  emitMetrics([countOf('Questions', 1)])
  // A database that hangs is named in time, instead of taking the answer with it.
  const end = AbortSignal.timeout(context.getRemainingTimeInMillis() - ANSWER_TIME_MS)
  return await answer(dependencies, question, end)
}
