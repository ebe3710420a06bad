/** The Lambda function behind the ingest queue. */
import { S3Client } from '@aws-sdk/client-s3'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { SFNClient } from '@aws-sdk/client-sfn'
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda'
import pLimit from 'p-limit'
import { databaseFromSecret } from '../database.ts'
import { readEnvironment } from '../env.ts'
import { AWS_CONNECT_TIMEOUT_MS, OBJECT_READ_TIMEOUT_MS, OBJECT_READS_IN_FLIGHT } from '../limits.ts'
import { Attempts } from './attempts.ts'
import { ingestBatch } from './ingest-batch.ts'
import type { IngestDependencies } from './ingest-slice.ts'

let dependencies: IngestDependencies | undefined

function makeDependencies(): IngestDependencies {
  const { DATABASE_SECRET_ARN, STATE_MACHINE_ARN } = readEnvironment('DATABASE_SECRET_ARN', 'STATE_MACHINE_ARN')
  const requestHandler = { connectionTimeout: AWS_CONNECT_TIMEOUT_MS, requestTimeout: OBJECT_READ_TIMEOUT_MS }
  const secrets = new SecretsManagerClient({ requestHandler })
  const withDatabase = databaseFromSecret(secrets, DATABASE_SECRET_ARN, 'sluice-ingest')
  return {
    reader: { s3: new S3Client({ requestHandler }), limit: pLimit(OBJECT_READS_IN_FLIGHT) },
    withDatabase,
    attempts: new Attempts(withDatabase),
    sfn: new SFNClient({ requestHandler }),
    stateMachineArn: STATE_MACHINE_ARN,
  }
}

export const handler = async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
  dependencies ??= makeDependencies()
  return await ingestBatch(dependencies, event, context)
}
