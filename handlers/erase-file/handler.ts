/** The Lambda function that a person calls by `sluice erase`. */
import { S3Client } from '@aws-sdk/client-s3'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import type { Context } from 'aws-lambda'
import { databaseFromSecret, type WithDatabase } from '../database.ts'
import { readEnvironment } from '../env.ts'
import { startInvocation } from '../ingest/ingest-slice.ts'
import { AWS_ANSWER_TIMEOUT_MS, AWS_CONNECT_TIMEOUT_MS } from '../limits.ts'
import { type ErasureOutcome, type ErasurePreview, parseErasureRequest } from './contract.ts'
import { type ErasureDependencies, eraseFile, previewErasure } from './erase-file.ts'

let dependencies: ErasureDependencies | undefined

function makeDependencies(): ErasureDependencies {
  const environment = readEnvironment('DATABASE_SECRET_ARN', 'DATABASE_SSL', 'LANDING_BUCKET_ARN')
  const { LANDING_BUCKET_ARN } = environment
  const requestHandler = {
    connectionTimeout: AWS_CONNECT_TIMEOUT_MS,
    requestTimeout: AWS_ANSWER_TIMEOUT_MS,
    // Without it the SDK only warns.
    throwOnRequestTimeout: true,
  }
  return {
    s3: new S3Client({ requestHandler }),
    withDatabase: databaseFromSecret(new SecretsManagerClient({ requestHandler }), environment, 'sluice-erase-file'),
    // The ARN of a bucket has neither region nor account: arn:aws:s3:::name.
    bucket: LANDING_BUCKET_ARN.slice(LANDING_BUCKET_ARN.lastIndexOf(':') + 1),
  }
}

export const handler = async (input: unknown, context: Context): Promise<ErasureOutcome | ErasurePreview> => {
  const asked = parseErasureRequest(input)
  dependencies ??= makeDependencies()
  const { withDatabase, ...others } = dependencies
  const { end } = startInvocation(context)
  const inTime: WithDatabase = (work) => withDatabase(work, end)
  const within = { ...others, withDatabase: inTime }
  return 'preview' in asked ? await previewErasure(within, asked.key) : await eraseFile(within, asked)
}
