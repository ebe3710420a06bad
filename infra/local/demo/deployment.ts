/** What the demo talks to: the deployed stack's resources, and clients for them. */
import { S3Client } from '@aws-sdk/client-s3'
import { SFNClient } from '@aws-sdk/client-sfn'
import { SNSClient } from '@aws-sdk/client-sns'
import { SQSClient } from '@aws-sdk/client-sqs'
import { z } from 'zod'
import { type Database, type DatabaseCredentials, openDatabase } from '../../../db/client.ts'
import type { Cloud } from '../cloud.ts'

const outputs = z.object({
  BucketName: z.string(),
  QueueUrl: z.string(),
  DeadLetterQueueUrl: z.string(),
  StateMachineArn: z.string(),
})

export interface Deployment {
  readonly bucket: string
  readonly queueUrl: string
  readonly deadLetterQueueUrl: string
  readonly stateMachineArn: string
  readonly s3: S3Client
  readonly sns: SNSClient
  readonly sqs: SQSClient
  readonly sfn: SFNClient
  readonly database: Database
}

/** @param stackOutputs as `deployStack` returns them */
export function connectTo(
  cloud: Pick<Cloud, 'endpoint' | 'database'>,
  stackOutputs: Record<string, string>,
): Deployment {
  const { BucketName, QueueUrl, DeadLetterQueueUrl, StateMachineArn } = outputs.parse(stackOutputs)
  const configuration = {
    endpoint: cloud.endpoint,
    region: 'us-east-1',
    // The emulator takes any.
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  }
  return {
    bucket: BucketName,
    queueUrl: QueueUrl,
    deadLetterQueueUrl: DeadLetterQueueUrl,
    stateMachineArn: StateMachineArn,
    s3: new S3Client(configuration),
    sns: new SNSClient(configuration),
    sqs: new SQSClient(configuration),
    sfn: new SFNClient(configuration),
    database: openDatabase(databaseSecret(cloud), 'sluice-start'),
  }
}

/** What the template of stage `local` is to know of the database (`infra/local-server.ts`). */
export const databaseParameters = ({ database }: Pick<Cloud, 'database'>): Record<string, string> => ({
  LocalDatabaseHost: database.host,
  LocalDatabasePort: String(database.port),
  LocalDatabaseName: database.name,
  LocalDatabaseUser: database.user,
  LocalDatabasePassword: database.password,
})

/** The local database in the fields of an RDS secret, as its owner. */
export function databaseSecret({ database }: Pick<Cloud, 'database'>): DatabaseCredentials {
  return {
    host: database.host,
    port: database.port,
    dbname: database.name,
    username: database.user,
    password: database.password,
  }
}
