/** The Lambda function behind the Task *QuarantineFiles*. */
import { S3Client } from '@aws-sdk/client-s3'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { type QuarantineFilesOutcome, quarantineFilesInput } from '../contract.ts'
import { databaseFromSecret } from '../database.ts'
import { readEnvironment } from '../env.ts'
import { AWS_CONNECT_TIMEOUT_MS, COPY_TIMEOUT_MS } from '../limits.ts'
import { type QuarantineDependencies, quarantineFiles } from './quarantine-files.ts'

let dependencies: QuarantineDependencies | undefined

function makeDependencies(): QuarantineDependencies {
  const environment = readEnvironment('DATABASE_SECRET_ARN', 'DATABASE_SSL')
  const requestHandler = {
    connectionTimeout: AWS_CONNECT_TIMEOUT_MS,
    requestTimeout: COPY_TIMEOUT_MS,
    // Without it the SDK only warns.
    throwOnRequestTimeout: true,
  }
  return {
    s3: new S3Client({ requestHandler }),
    withDatabase: databaseFromSecret(new SecretsManagerClient({ requestHandler }), environment, 'sluice-quarantine'),
  }
}

export const handler = async (input: unknown): Promise<QuarantineFilesOutcome> => {
  const { fileIds } = quarantineFilesInput.parse(input)
  dependencies ??= makeDependencies()
  return await quarantineFiles(dependencies, fileIds)
}
