/** What the ingest function needs, around a test's own ledger. */

import pLimit from 'p-limit'
import { inject } from 'vitest'
import { databaseFromSecret } from '../../handlers/database.ts'
import { Attempts } from '../../handlers/ingest/attempts.ts'
import type { IngestDependencies } from '../../handlers/ingest/ingest-slice.ts'
import { type awsClients, databaseEnvironment } from './aws.ts'
import type { TestDatabase } from './database.ts'

/** The connection is named `test-ingest`. Each call makes one of its own, as each running function has. */
export async function ingestDependencies(
  { s3, secrets, sfn }: ReturnType<typeof awsClients>,
  ledger: TestDatabase,
  stateMachineArn: string,
): Promise<IngestDependencies> {
  const environment = await databaseEnvironment(secrets, ledger.credentialsOf('ingest'))
  const withDatabase = databaseFromSecret(secrets, environment, 'test-ingest')
  return {
    reader: { s3, limit: pLimit(16) },
    withDatabase,
    attempts: new Attempts(withDatabase),
    sfn,
    stateMachineArn,
    transformIntervalMinutes: 60,
  }
}

/** The same for a function in a process of its own: its environment. */
export async function ingestEnvironment(
  { secrets }: Pick<ReturnType<typeof awsClients>, 'secrets'>,
  ledger: TestDatabase,
  stateMachineArn: string,
): Promise<Record<string, string>> {
  return {
    AWS_ENDPOINT_URL: inject('awsEndpoint'),
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    ...(await databaseEnvironment(secrets, ledger.credentialsOf('ingest'))),
    STATE_MACHINE_ARN: stateMachineArn,
    TRANSFORM_INTERVAL_MINUTES: '60',
  }
}
