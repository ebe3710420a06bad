/** The Lambda function behind the Task *Sweep*. */
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { SFNClient } from '@aws-sdk/client-sfn'
import { SQSClient } from '@aws-sdk/client-sqs'
import type { Context } from 'aws-lambda'
import { type SweepOutcome, sweepInput } from '../contract.ts'
import { databaseFromSecret } from '../database.ts'
import { readEnvironment } from '../env.ts'
import { startInvocation } from '../ingest/ingest-slice.ts'
import { type SweepDependencies, sweep } from './sweep.ts'

let dependencies: SweepDependencies | undefined

function makeDependencies(): SweepDependencies {
  const environment = readEnvironment(
    'DATABASE_SECRET_ARN',
    'DATABASE_SSL',
    'STATE_MACHINE_ARN',
    'DEAD_LETTER_QUEUE_URL',
    'RAW_RETENTION_DAYS',
  )
  return {
    withDatabase: databaseFromSecret(new SecretsManagerClient(), environment, 'sluice-sweep'),
    sfn: new SFNClient(),
    stateMachineArn: environment.STATE_MACHINE_ARN,
    sqs: new SQSClient(),
    deadLetterQueueUrl: environment.DEAD_LETTER_QUEUE_URL,
    retentionDays: environment.RAW_RETENTION_DAYS,
  }
}

export const handler = async (input: unknown, context: Context): Promise<SweepOutcome> => {
  sweepInput.parse(input)
  dependencies ??= makeDependencies()
  return await sweep(dependencies, new Date(), startInvocation(context).end)
}
