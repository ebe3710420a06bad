/** The Lambda function behind the Task *ReplayFiles*, and behind the dry run that a person asks for. */
import { S3Client } from '@aws-sdk/client-s3'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { SQSClient } from '@aws-sdk/client-sqs'
import type { Context } from 'aws-lambda'
import pLimit from 'p-limit'
import { type ReplayFilesOutcome, type ReplayTrial, replayFilesInput } from '../contract.ts'
import { databaseFromSecret } from '../database.ts'
import { readEnvironment } from '../env.ts'
import { startInvocation } from '../ingest/ingest-slice.ts'
import { OBJECT_READS_IN_FLIGHT } from '../limits.ts'
import { type ReplayDependencies, replayNextPage } from './replay-files.ts'
import { type TrialDependencies, tryNextPage } from './try-files.ts'

let dependencies: (ReplayDependencies & TrialDependencies) | undefined

function makeDependencies(): ReplayDependencies & TrialDependencies {
  const environment = readEnvironment('DATABASE_SECRET_ARN', 'DATABASE_SSL', 'REPLAY_QUEUE_URL')
  return {
    sqs: new SQSClient(),
    queueUrl: environment.REPLAY_QUEUE_URL,
    withDatabase: databaseFromSecret(new SecretsManagerClient(), environment, 'sluice-replay-files'),
    reader: { s3: new S3Client(), limit: pLimit(OBJECT_READS_IN_FLIGHT) },
  }
}

export const handler = async (input: unknown, context: Context): Promise<ReplayFilesOutcome | ReplayTrial> => {
  const asked = replayFilesInput.parse(input)
  dependencies ??= makeDependencies()
  if ('dryRun' in asked) {
    return await tryNextPage(dependencies, asked.selection, asked.afterId, startInvocation(context).end)
  }
  return await replayNextPage(dependencies, asked)
}
