/** How the command line reaches a stage: by the AWS credentials of its environment, or the laptop cloud that is running. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { S3Client } from '@aws-sdk/client-s3'
import { SFNClient } from '@aws-sdk/client-sfn'
import { SNSClient } from '@aws-sdk/client-sns'
import { SQSClient } from '@aws-sdk/client-sqs'
import { STSClient } from '@aws-sdk/client-sts'
import { StageNotFound } from './errors.ts'

/** Written by `npm start` for as long as it runs: the endpoint and keys of the laptop cloud. */
const LOCAL_ENVIRONMENT = join(import.meta.dirname, '../../.sluice/start/env')

/** A deployed stage. Its resources have fixed names (see `infra/`), so its name is all there is to know. */
export interface Stage {
  readonly name: string
  readonly lambda: LambdaClient
  readonly s3: S3Client
  readonly sfn: SFNClient
  readonly sns: SNSClient
  readonly sqs: SQSClient
  readonly sts: STSClient
}

/**
 * Clients for a stage. For stage `local` the laptop cloud of `npm start` is meant, unless AWS_ENDPOINT_URL names another.
 *
 * @throws {StageNotFound} for stage `local` when no laptop cloud is running
 */
export function connect(name: string): Stage {
  if (name === 'local' && !process.env.AWS_ENDPOINT_URL) useLaptopCloud()
  return {
    name,
    ...{ lambda: new LambdaClient(), s3: new S3Client(), sfn: new SFNClient() },
    ...{ sns: new SNSClient(), sqs: new SQSClient(), sts: new STSClient() },
  }
}

function useLaptopCloud(): void {
  if (!existsSync(LOCAL_ENVIRONMENT)) {
    throw new StageNotFound('no laptop cloud is running: start it with `npm start`, or name another stage with --stage')
  }
  // A developer's own profile, keys and region must not reach the laptop cloud, nor it real AWS.
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name]
  Object.assign(process.env, parseEnv(readFileSync(LOCAL_ENVIRONMENT, 'utf8')))
}
