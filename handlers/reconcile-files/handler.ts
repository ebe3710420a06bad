/** The Lambda function behind the Task *ReconcileFiles*, and behind the dry run of a backfill that a person asks for. */
import { S3Client } from '@aws-sdk/client-s3'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { SQSClient } from '@aws-sdk/client-sqs'
import type { Context } from 'aws-lambda'
import { type BackfillTrial, type ReconcileFilesOutcome, reconcileFilesInput } from '../contract.ts'
import { databaseFromSecret } from '../database.ts'
import { readEnvironment } from '../env.ts'
import { startInvocation } from '../ingest/ingest-slice.ts'
import { AWS_ANSWER_TIMEOUT_MS, AWS_CONNECT_TIMEOUT_MS } from '../limits.ts'
import { type ReconcileDependencies, reconcileNextPages, tryNextPages } from './reconcile-files.ts'

let dependencies: ReconcileDependencies | undefined

function makeDependencies(): ReconcileDependencies {
  const environment = readEnvironment('DATABASE_SECRET_ARN', 'DATABASE_SSL', 'REPLAY_QUEUE_URL', 'LANDING_BUCKET_ARN')
  const { LANDING_BUCKET_ARN } = environment
  const requestHandler = {
    connectionTimeout: AWS_CONNECT_TIMEOUT_MS,
    requestTimeout: AWS_ANSWER_TIMEOUT_MS,
    // Without it the SDK only warns.
    throwOnRequestTimeout: true,
  }
  return {
    s3: new S3Client({ requestHandler }),
    // The ARN of a bucket has neither region nor account: arn:aws:s3:::name.
    bucket: LANDING_BUCKET_ARN.slice(LANDING_BUCKET_ARN.lastIndexOf(':') + 1),
    sqs: new SQSClient({ requestHandler }),
    queueUrl: environment.REPLAY_QUEUE_URL,
    withDatabase: databaseFromSecret(new SecretsManagerClient(), environment, 'sluice-reconcile-files'),
  }
}

export const handler = async (input: unknown, context: Context): Promise<ReconcileFilesOutcome | BackfillTrial> => {
  const asked = reconcileFilesInput.parse(input)
  dependencies ??= makeDependencies()
  const { receivedAt: now, end } = startInvocation(context)
  const time = { now, end, remaining: () => context.getRemainingTimeInMillis() }
  if ('dryRun' in asked) return await tryNextPages(dependencies, asked, time)
  return await reconcileNextPages(dependencies, asked.execution, asked.request, time)
}
