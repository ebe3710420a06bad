/** Clients of the test run's emulator, and what tests need in it. */
import { randomBytes } from 'node:crypto'
import { CreateBucketCommand, PutBucketVersioningCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { CreateStateMachineCommand, SFNClient } from '@aws-sdk/client-sfn'
import { SQSClient } from '@aws-sdk/client-sqs'
import { inject } from 'vitest'
import type { DatabaseCredentials } from '../../db/client.ts'
import type { DatabaseEnvironment } from '../../handlers/database.ts'
import { type CreatedObjectFields, s3Record } from './s3-events.ts'

/** Clients of the emulator, or of whatever stands in for AWS at another endpoint. */
export function awsClients(endpoint = inject('awsEndpoint')) {
  const options = {
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    // A test that takes S3 away does not wait for the SDK's own retries.
    maxAttempts: 1,
  }
  return {
    s3: new S3Client(options),
    secrets: new SecretsManagerClient(options),
    sfn: new SFNClient(options),
    sqs: new SQSClient(options),
  }
}

const uniqueName = (prefix: string): string => `${prefix}-${randomBytes(6).toString('hex')}`

export async function createVersionedBucket(s3: S3Client): Promise<string> {
  const Bucket = uniqueName('landing')
  await s3.send(new CreateBucketCommand({ Bucket }))
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }))
  return Bucket
}

let sequence = 0

/** Puts an object and returns the record of the event that S3 would send. Sequencers rise with every call. */
export async function putObject(s3: S3Client, bucket: string, key: string, body: string | Uint8Array) {
  const { VersionId: versionId } = await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }))
  const sequencer = (0x0055aed6dcd90281n + BigInt(++sequence)).toString(16).toUpperCase()
  const fields: CreatedObjectFields = { bucket, key, versionId, size: Buffer.byteLength(body), sequencer }
  return s3Record(fields)
}

/** A secret with the fields of an RDS secret. Returns its ARN. */
export async function createDatabaseSecret(secrets: SecretsManagerClient, value: DatabaseCredentials): Promise<string> {
  const created = await secrets.send(
    new CreateSecretCommand({ Name: uniqueName('database'), SecretString: JSON.stringify(value) }),
  )
  return created.ARN ?? ''
}

/** The same in the environment of a function. */
export async function databaseEnvironment(
  secrets: SecretsManagerClient,
  credentials: DatabaseCredentials,
): Promise<DatabaseEnvironment> {
  return { DATABASE_SECRET_ARN: await createDatabaseSecret(secrets, credentials), DATABASE_SSL: 'disable' }
}

/** A state machine that succeeds at once. Returns its ARN. */
export async function createStateMachine(sfn: SFNClient): Promise<string> {
  const created = await sfn.send(
    new CreateStateMachineCommand({
      name: uniqueName('pipeline'),
      roleArn: 'arn:aws:iam::000000000000:role/pipeline',
      definition: JSON.stringify({ StartAt: 'Done', States: { Done: { Type: 'Succeed' } } }),
    }),
  )
  return created.stateMachineArn ?? ''
}
