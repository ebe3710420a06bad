/** The hot path: the function that ingests batches, and the mappings that feed it from its queues. */
import type { Duration } from 'aws-cdk-lib'
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions'
import { Construct } from 'constructs'
import type { Database } from './database.ts'
import type { Network } from './network.ts'
import { SluiceFunction } from './sluice-function.ts'

export interface IngestionProps {
  readonly stage: string
  readonly queue: IQueue
  readonly replayQueue: IQueue
  readonly database: Database
  readonly network: Network | undefined
  readonly stateMachine: IStateMachine
  readonly batchSize: number
  readonly batchingWindow: Duration
  readonly ingestTimeout: Duration
  readonly ingestMemoryMegabytes: number
  readonly ingestConcurrency: number
  readonly replayConcurrency: number
  readonly reservesConcurrency: boolean
  readonly transformInterval: Duration
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
      // Guaranteed to the mappings, so that nothing else in the account can starve them.
      reservedConcurrency: props.ingestConcurrency + props.replayConcurrency,
      reservesConcurrency: props.reservesConcurrency,
      network: props.network,
      environment: {
        ...props.database.environmentOf('ingest'),
        STATE_MACHINE_ARN: props.stateMachine.stateMachineArn,
        TRANSFORM_INTERVAL_MINUTES: String(props.transformInterval.toMinutes()),
      },
      logRetentionDays: props.logRetentionDays,
    })

    this.#feedFrom('IngestQueueMapping', props.queue, props.ingestConcurrency, props)
    this.#feedFrom('ReplayQueueMapping', props.replayQueue, props.replayConcurrency, props)
  }

  #feedFrom(id: string, queue: IQueue, maxConcurrency: number, props: IngestionProps): void {
    new EventSourceMapping(this, id, {
      target: this.ingest,
      eventSourceArn: queue.queueArn,
      batchSize: props.batchSize,
      maxBatchingWindow: props.batchingWindow,
      maxConcurrency,
      // One message's failure brings back that message, not its ninety-nine neighbours.
      reportBatchItemFailures: true,
    })
  }
}
