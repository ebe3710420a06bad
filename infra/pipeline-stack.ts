/** The whole pipeline: its units, and every permission that crosses from one to another. */
import { CfnOutput, type Duration, Fn, Stack, type StackProps, Tags } from 'aws-cdk-lib'
import { Grant } from 'aws-cdk-lib/aws-iam'
import type { Construct } from 'constructs'
import { Aurora, type AuroraOptions } from './aurora.ts'
import { Database } from './database.ts'
import { Erasure } from './erasure.ts'
import { Guardrails } from './guardrails/guardrails.ts'
import { Ingestion } from './ingestion.ts'
import { Inspection } from './inspection.ts'
import { Landing } from './landing.ts'
import { LocalServer } from './local-server.ts'
import { Migration } from './migration.ts'
import { Monitoring } from './monitoring.ts'
import { Network, type NetworkOptions } from './network.ts'
import { Notices } from './notices.ts'
import { Orchestration } from './orchestration.ts'
import { People } from './people.ts'
import { Rotation } from './rotation.ts'
import { Transform } from './transform.ts'
import { Triggers } from './triggers.ts'

/** What a stage decides. The literals, each with its reason, stand in `app.ts`. */
export interface PipelineStackProps extends StackProps {
  readonly stage: string
  /** Who answers for it: a tag on everything, by which bills are divided. */
  readonly owner: string
  /** Who is told by mail of what cannot wait, and of what can. */
  readonly pageAddresses: readonly string[]
  readonly noticeAddresses: readonly string[]
  /** Where `infra/runbook.md` can be read: every alarm names its place in it. */
  readonly runbookUrl: string
  /** Whether there are alarms and a dashboard, beside the one alarm that starts something. */
  readonly isWatched: boolean
  /** What a stage on AWS has besides. Without it (`local`) the database and the functions are processes of one machine. */
  readonly aws?: { readonly network: NetworkOptions; readonly aurora: AuroraOptions }
  readonly landingBucketName?: string
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
  /** Whether functions are guaranteed their concurrency. The account must have 100 to spare besides. */
  readonly reservesConcurrency: boolean
  readonly receivesBeforeDeadLetter: number
  readonly queueRetention: Duration
  readonly deadLetterRetention: Duration
  /** How long files stay under `input/`. */
  readonly inputRetention: Duration
  /** How long a version stays after a newer one replaced it. */
  readonly overwrittenInputRetention: Duration
  readonly quarantineRetention: Duration
  /** How long one stays after it expired. */
  readonly overwrittenQuarantineRetention: Duration
  /** How long documents stay in the database after the day on which they were loaded, at least a week. The marts keep what they need. */
  readonly documentRetention: Duration
  readonly logRetentionDays: number
  /** How long run results, reports and docs of the transform's builds are kept. */
  readonly artifactRetention: Duration
  /** Time between two runs of dbt. */
  readonly transformInterval: Duration
  /** Time between two looks for what was forgotten. */
  readonly sweepInterval: Duration
  /** Whether the clock starts anything. */
  readonly schedulesEnabled: boolean
}

export class PipelineStack extends Stack {
  constructor(scope: Construct, id: string, props: PipelineStackProps) {
    super(scope, id, { description: `Sluice, stage ${props.stage}: JSON files from S3 to PostgreSQL`, ...props })

    const network = props.aws && new Network(this, 'Network', { ...props, ...props.aws.network })
    const aurora = network && new Aurora(this, 'Aurora', { ...props, ...props.aws.aurora, network })
    const server = aurora ?? new LocalServer(this, 'LocalServer')
    const database = new Database(this, 'Database', { ...props, server })
    const migration = new Migration(this, 'Migration', { ...props, network, database })
    const landing = new Landing(this, 'Landing', props)
    const notices = new Notices(this, 'Notices', props)
    const transform = new Transform(this, 'Transform', { ...props, network, database, notices: notices.topic })
    const orchestration = new Orchestration(this, 'Orchestration', {
      ...props,
      notices: notices.topic,
      transformProject: transform.project,
      network,
      database,
      bucket: landing.bucket,
      deadLetterQueue: landing.deadLetterQueue,
      replayQueue: landing.replayQueue,
    })
    const ingestion = new Ingestion(this, 'Ingestion', {
      ...props,
      queue: landing.queue,
      replayQueue: landing.replayQueue,
      network,
      database,
      stateMachine: orchestration.stateMachine,
    })
    const triggers = new Triggers(this, 'Triggers', {
      ...props,
      deadLetterQueue: landing.deadLetterQueue,
      stateMachine: orchestration.stateMachine,
      notices: notices.topic,
    })
    const inspection = new Inspection(this, 'Inspection', {
      ...props,
      bucket: landing.bucket,
      network,
      database,
    })

    const erasure = new Erasure(this, 'Erasure', {
      ...props,
      bucket: landing.bucket,
      network,
      database,
    })

    if (props.isWatched)
      new Monitoring(this, 'Monitoring', {
        ...props,
        notices,
        landing,
        ingest: ingestion.ingest,
        orchestration,
        transformProject: transform.project,
        deadLettersAlarm: triggers.deadLettersAlarm,
        aurora,
        network,
      })

    new People(this, 'People', {
      ...props,
      landingBucketArn: landing.bucket.bucketArn,
      queues: [landing.queue, landing.deadLetterQueue],
      topics: [notices.pages, notices.topic],
      stateMachine: orchestration.stateMachine,
      readLedger: inspection.readLedger,
      replayFiles: orchestration.replayFiles,
      reconcileFiles: orchestration.reconcileFiles,
      eraseFile: erasure.eraseFile,
    })

    landing.queue.grantConsumeMessages(ingestion.ingest)
    landing.replayQueue.grantConsumeMessages(ingestion.ingest)
    landing.bucket.grantRead(ingestion.ingest, 'input/*')
    // A replay reads the copy of a version that is gone.
    landing.bucket.grantRead(ingestion.ingest, 'quarantine/*')
    landing.bucket.grantRead(orchestration.replayFiles, 'input/*')
    landing.bucket.grantRead(orchestration.replayFiles, 'quarantine/*')
    landing.replayQueue.grantSendMessages(orchestration.replayFiles)
    // It compares names; what is in a file is for those to read who load it.
    Grant.addToPrincipal({
      grantee: orchestration.reconcileFiles,
      actions: ['s3:ListBucketVersions'],
      resourceArns: [landing.bucket.bucketArn],
    })
    landing.replayQueue.grantSendMessages(orchestration.reconcileFiles)
    landing.bucket.grantRead(orchestration.quarantineFiles, 'input/*')
    landing.bucket.grantPut(orchestration.quarantineFiles, 'quarantine/*')
    landing.bucket.grantRead(orchestration.loadFile, 'input/*')
    landing.deadLetterQueue.grantConsumeMessages(orchestration.collectDeadLetters)
    landing.deadLetterQueue.grant(orchestration.sweep, 'sqs:GetQueueAttributes')
    database.secrets.ingest.grantRead(ingestion.ingest)
    database.secrets.maintenance.grantRead(orchestration.quarantineFiles)
    database.secrets.maintenance.grantRead(orchestration.collectDeadLetters)
    database.secrets.maintenance.grantRead(orchestration.claimDeadLetters)
    database.secrets.maintenance.grantRead(orchestration.claimTransform)
    database.secrets.ingest.grantRead(orchestration.loadFile)
    database.secrets.maintenance.grantRead(orchestration.replayFiles)
    database.secrets.maintenance.grantRead(orchestration.reconcileFiles)
    database.secrets.maintenance.grantRead(orchestration.sweep)
    database.secrets.inspection.grantRead(inspection.readLedger)
    database.secrets.erasure.grantRead(erasure.eraseFile)
    orchestration.stateMachine.grantStartExecution(ingestion.ingest)
    notices.topic.grantPublish(transform.project)

    // A build can connect when the last instance, rule and route is there, and not when the cluster has a name.
    migration.trigger.executeAfter(server, ...(network ? [network] : []))
    // New code never meets an old schema, and no file is read before there is a ledger to write it to.
    migration.trigger.executeBefore(orchestration, ingestion, inspection, erasure)

    this.node.addValidation(new Guardrails(this, props))

    Tags.of(this).add('app', 'sluice')
    Tags.of(this).add('stage', props.stage)
    Tags.of(this).add('owner', props.owner)
    new CfnOutput(this, 'BucketName', { value: landing.bucket.bucketName })
    new CfnOutput(this, 'QueueUrl', { value: landing.queue.queueUrl })
    new CfnOutput(this, 'DeadLetterQueueUrl', { value: landing.deadLetterQueue.queueUrl })
    new CfnOutput(this, 'StateMachineArn', { value: orchestration.stateMachine.stateMachineArn })
    new CfnOutput(this, 'MigrateProjectName', { value: migration.project.projectName })
    if (aurora && network) {
      const secrets = { ...database.secrets, admin: aurora.adminSecret }
      // AWS tries a schedule as it is made, and the roles are made by the migration.
      migration.trigger.executeBefore(new Rotation(this, 'Rotation', { ...props, network, secrets }))
      new CfnOutput(this, 'ReaderEndpoint', { value: aurora.readerHost })
      new CfnOutput(this, 'ReaderSecretArn', { value: database.secrets.reader.secretArn })
    }
  }

  /** By CloudFormation, in whatever region. CDK would look them up, and synthesis would need credentials. */
  override get availabilityZones(): string[] {
    return [0, 1].map((index) => Fn.select(index, Fn.getAzs()))
  }
}
