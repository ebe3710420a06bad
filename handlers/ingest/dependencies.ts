/** What a function that loads files needs, made from its environment. */
import { S3Client } from '@aws-sdk/client-s3'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { SFNClient } from '@aws-sdk/client-sfn'
import pLimit from 'p-limit'
import { databaseFromSecret } from '../database.ts'
import { readEnvironment } from '../env.ts'
import { AWS_CONNECT_TIMEOUT_MS, OBJECT_READ_TIMEOUT_MS, OBJECT_READS_IN_FLIGHT } from '../limits.ts'
import { Attempts } from './attempts.ts'
import type { IngestDependencies } from './ingest-slice.ts'

/** @param applicationName how the function's connection is called in PostgreSQL */
export function makeIngestDependencies(applicationName: string): IngestDependencies {
  const environment = readEnvironment(
    'DATABASE_SECRET_ARN',
    'DATABASE_SSL',
    'STATE_MACHINE_ARN',
    'TRANSFORM_INTERVAL_MINUTES',
  )
  const requestHandler = {
    connectionTimeout: AWS_CONNECT_TIMEOUT_MS,
    requestTimeout: OBJECT_READ_TIMEOUT_MS,
    // Without it the SDK only warns.
    throwOnRequestTimeout: true,
  }
  const secrets = new SecretsManagerClient({ requestHandler })
  const withDatabase = databaseFromSecret(secrets, environment, applicationName)
  return {
    reader: { s3: new S3Client({ requestHandler }), limit: pLimit(OBJECT_READS_IN_FLIGHT) },
    withDatabase,
    attempts: new Attempts(withDatabase),
    sfn: new SFNClient({ requestHandler }),
    stateMachineArn: environment.STATE_MACHINE_ARN,
    transformIntervalMinutes: environment.TRANSFORM_INTERVAL_MINUTES,
  }
}
