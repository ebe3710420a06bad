/** The Lambda function behind the Tasks *ClaimTransform* and *RequireAnotherRuns*. */
import { CodeBuildClient } from '@aws-sdk/client-codebuild'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import type { Context } from 'aws-lambda'
import { type ClaimTransformOutcome, claimTransformInput } from '../contract.ts'
import { databaseFromSecret, type WithDatabase } from '../database.ts'
import { readEnvironment } from '../env.ts'
import { startInvocation } from '../ingest/ingest-slice.ts'
import { claim, requireAnotherRuns } from './claim-transform.ts'

const codeBuild = new CodeBuildClient()
let withDatabase: WithDatabase | undefined

export const handler = async (input: unknown, context: Context): Promise<ClaimTransformOutcome> => {
  const asked = claimTransformInput.parse(input)
  const environment = readEnvironment(
    'DATABASE_SECRET_ARN',
    'DATABASE_SSL',
    'TRANSFORM_INTERVAL_MINUTES',
    'TRANSFORM_PROJECT_NAME',
  )
  if (asked.requireAnotherRuns) return await requireAnotherRuns(codeBuild, environment.TRANSFORM_PROJECT_NAME)
  withDatabase ??= databaseFromSecret(new SecretsManagerClient(), environment, 'sluice-claim-transform')
  return await claim(
    withDatabase,
    asked.execution,
    environment.TRANSFORM_INTERVAL_MINUTES,
    startInvocation(context).end,
  )
}
