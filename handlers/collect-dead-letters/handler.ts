/** The Lambda function behind the Task *CollectDeadLetters*. */
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { SQSClient } from '@aws-sdk/client-sqs'
import type { Context } from 'aws-lambda'
import { type CollectDeadLettersOutcome, collectDeadLettersInput } from '../contract.ts'
import { databaseFromSecret } from '../database.ts'
import { readEnvironment } from '../env.ts'
import { startInvocation } from '../ingest/ingest-slice.ts'
import { type CollectDependencies, collectDeadLetters } from './collect-dead-letters.ts'

let dependencies: CollectDependencies | undefined

function makeDependencies(): CollectDependencies {
  const environment = readEnvironment('DATABASE_SECRET_ARN', 'DATABASE_SSL', 'DEAD_LETTER_QUEUE_URL')
  return {
    sqs: new SQSClient(),
    queueUrl: environment.DEAD_LETTER_QUEUE_URL,
    withDatabase: databaseFromSecret(new SecretsManagerClient(), environment, 'sluice-collect-dead-letters'),
  }
}

export const handler = async (input: unknown, context: Context): Promise<CollectDeadLettersOutcome> => {
  collectDeadLettersInput.parse(input)
  dependencies ??= makeDependencies()
  return await collectDeadLetters(dependencies, () => context.getRemainingTimeInMillis(), startInvocation(context).end)
}
