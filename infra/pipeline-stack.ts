/** The whole pipeline: its units, and every permission that crosses from one to another. */
import { CfnOutput, type Duration, Stack, type StackProps, Tags } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import { Database } from './database.ts'
import { Ingestion } from './ingestion.ts'
import { Inspection } from './inspection.ts'
import { Landing } from './landing.ts'
import { Migration } from './migration.ts'
import { Notices } from './notices.ts'
import { Orchestration } from './orchestration.ts'
import { Transform } from './transform.ts'
import { Triggers } from './triggers.ts'

/** What a stage decides. The literals, each with its reason, stand in `app.ts`. */
export interface PipelineStackProps extends StackProps {
  readonly stage: string
  /** Messages in a batch at most, 1 to 10,000. */
  readonly batchSize: number
  /** Longest wait for a batch to fill, 1 to 300 s. */
  readonly batchingWindow: Duration
  readonly ingestTimeout: Duration
  readonly ingestMemoryMegabytes: number
  /** Batches that are ingested at the same time at most, 2 to 1,000. */
  readonly ingestConcurrency: number
  /** The same for replayed files, 2 to 1,000. */
  readonly replayConcurrency: number
  readonly receivesBeforeDeadLetter: number
  readonly queueRetention: Duration
  readonly deadLetterRetention: Duration
  /** How long files stay under `input/`. */
  readonly inputRetention: Duration
  /** How long a version stays after a newer one replaced it. */
  readonly overwrittenInputRetention: Duration
  readonly quarantineRetention: Duration
  readonly logRetentionDays: number
  /** Time between two runs of dbt. */
  readonly transformInterval: Duration
  /** Time between two looks for what was forgotten. */
  readonly sweepInterval: Duration
}

export class PipelineStack extends Stack {
  constructor(scope: Construct, id: string, props: PipelineStackProps) {
    super(scope, id, { description: `Sluice, stage ${props.stage}: JSON files from S3 to PostgreSQL`, ...props })

    const database = new Database(this, 'Database')
    const migration = new Migration(this, 'Migration', {
      ...props,
      databaseSecret: database.secret,
      connectionVariables: database.connectionVariables,
    })
    const landing = new Landing(this, 'Landing', props)
    const notices = new Notices(this, 'Notices', props)
    const transform = new Transform(this, 'Transform', {
      ...props,
      connectionVariables: database.connectionVariables,
      notices: notices.topic,
    })
    const orchestration = new Orchestration(this, 'Orchestration', {
      ...props,
      notices: notices.topic,
      transformProject: transform.project,
      databaseSecret: database.secret,
      deadLetterQueue: landing.deadLetterQueue,
      replayQueue: landing.replayQueue,
    })
    const ingestion = new Ingestion(this, 'Ingestion', {
      ...props,
      queue: landing.queue,
      replayQueue: landing.replayQueue,
      databaseSecret: database.secret,
      stateMachine: orchestration.stateMachine,
    })
    new Triggers(this, 'Triggers', {
      ...props,
      deadLetterQueue: landing.deadLetterQueue,
      stateMachine: orchestration.stateMachine,
      notices: notices.topic,
    })
    const inspection = new Inspection(this, 'Inspection', {
      ...props,
      bucket: landing.bucket,
      databaseSecret: database.secret,
    })

    landing.queue.grantConsumeMessages(ingestion.ingest)
    landing.replayQueue.grantConsumeMessages(ingestion.ingest)
    landing.bucket.grantRead(ingestion.ingest, 'input/*')
    // A replay reads the copy of a version that is gone.
    landing.bucket.grantRead(ingestion.ingest, 'quarantine/*')
    landing.bucket.grantRead(orchestration.replayFiles, 'input/*')
    landing.bucket.grantRead(orchestration.replayFiles, 'quarantine/*')
    landing.replayQueue.grantSendMessages(orchestration.replayFiles)
    landing.bucket.grantRead(orchestration.quarantineFiles, 'input/*')
    landing.bucket.grantPut(orchestration.quarantineFiles, 'quarantine/*')
    landing.bucket.grantRead(orchestration.loadFile, 'input/*')
    landing.deadLetterQueue.grantConsumeMessages(orchestration.collectDeadLetters)
    landing.deadLetterQueue.grant(orchestration.sweep, 'sqs:GetQueueAttributes')
    database.secret.grantRead(ingestion.ingest)
    database.secret.grantRead(orchestration.quarantineFiles)
    database.secret.grantRead(orchestration.collectDeadLetters)
    database.secret.grantRead(orchestration.claimDeadLetters)
    database.secret.grantRead(orchestration.claimTransform)
    database.secret.grantRead(orchestration.loadFile)
    database.secret.grantRead(orchestration.replayFiles)
    database.secret.grantRead(orchestration.sweep)
    database.secret.grantRead(inspection.readLedger)
    orchestration.stateMachine.grantStartExecution(ingestion.ingest)
    notices.topic.grantPublish(transform.project)

    // New code never meets an old schema, and no file is read before there is a ledger to write it to.
    migration.trigger.executeBefore(orchestration, ingestion, inspection)

    Tags.of(this).add('app', 'sluice')
    Tags.of(this).add('stage', props.stage)
    new CfnOutput(this, 'BucketName', { value: landing.bucket.bucketName })
    new CfnOutput(this, 'QueueUrl', { value: landing.queue.queueUrl })
    new CfnOutput(this, 'DeadLetterQueueUrl', { value: landing.deadLetterQueue.queueUrl })
    new CfnOutput(this, 'StateMachineArn', { value: orchestration.stateMachine.stateMachineArn })
    new CfnOutput(this, 'MigrateProjectName', { value: migration.project.projectName })
  }
}
