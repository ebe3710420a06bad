/** The Lambda function behind the Tasks *ClaimDeadLetters* and *RequireNoneRemain*. */
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import type { Context } from 'aws-lambda'
import { type ClaimDeadLettersOutcome, claimDeadLettersInput } from '../contract.ts'
import { databaseFromSecret, type WithDatabase } from '../database.ts'
import { readEnvironment } from '../env.ts'
import { startInvocation } from '../ingest/ingest-slice.ts'
import { claimNextPage } from './claim-dead-letters.ts'

let withDatabase: WithDatabase | undefined

function makeAccess(): WithDatabase {
  const environment = readEnvironment('DATABASE_SECRET_ARN', 'DATABASE_SSL')
  return databaseFromSecret(new SecretsManagerClient(), environment, 'sluice-claim-dead-letters')
}

export const handler = async (input: unknown, context: Context): Promise<ClaimDeadLettersOutcome> => {
  const asked = claimDeadLettersInput.parse(input)
  withDatabase ??= makeAccess()
  return await claimNextPage(withDatabase, asked, startInvocation(context).end)
}
