/** The hot path: the function that ingests batches, and the mapping that feeds it from the queue. */
import type { Duration } from 'aws-cdk-lib'
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda'
import type { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions'
import { Construct } from 'constructs'
import { SluiceFunction } from './sluice-function.ts'

export interface IngestionProps {
  readonly stage: string
  readonly queue: IQueue
  readonly databaseSecret: Secret
  readonly stateMachine: IStateMachine
  readonly batchSize: number
  readonly batchingWindow: Duration
  readonly ingestTimeout: Duration
  readonly ingestMemoryMegabytes: number
  readonly ingestConcurrency: number
  readonly logRetentionDays: number
}

export class Ingestion extends Construct {
  readonly ingest: SluiceFunction

  constructor(scope: Construct, id: string, props: IngestionProps) {
    super(scope, id)

    this.ingest = new SluiceFunction(this, 'Ingest', {
      stage: props.stage,
      folder: 'ingest',
      description: 'Loads a batch of files into PostgreSQL in one transaction',
      timeout: props.ingestTimeout,
      memoryMegabytes: props.ingestMemoryMegabytes,
      // Guaranteed to the mapping, so that nothing else in the account can starve it.
      reservedConcurrency: props.ingestConcurrency,
      environment: {
        DATABASE_SECRET_ARN: props.databaseSecret.secretArn,
        STATE_MACHINE_ARN: props.stateMachine.stateMachineArn,
      },
      logRetentionDays: props.logRetentionDays,
    })

    new EventSourceMapping(this, 'IngestQueueMapping', {
      target: this.ingest,
      eventSourceArn: props.queue.queueArn,
      batchSize: props.batchSize,
      maxBatchingWindow: props.batchingWindow,
      maxConcurrency: props.ingestConcurrency,
      // One message's failure brings back that message, not its ninety-nine neighbours.
      reportBatchItemFailures: true,
    })
  }
}
