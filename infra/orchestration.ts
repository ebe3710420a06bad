/** What happens after the commit, and how what went wrong is set going again: the state machine and its Tasks' functions. */
import { join } from 'node:path'
import { ArnFormat, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import type { Project } from 'aws-cdk-lib/aws-codebuild'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import type { Topic } from 'aws-cdk-lib/aws-sns'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { DefinitionBody, LogLevel, StateMachine } from 'aws-cdk-lib/aws-stepfunctions'
import { Construct } from 'constructs'
import type { Database } from './database.ts'
import type { Network } from './network.ts'
import { SluiceFunction, type SluiceFunctionProps } from './sluice-function.ts'

export interface OrchestrationProps {
  readonly stage: string
  readonly database: Database
  readonly network: Network | undefined
  readonly reservesConcurrency: boolean
  /** Its versions are listed. */
  readonly bucket: IBucket
  readonly deadLetterQueue: Queue
  readonly replayQueue: Queue
  /** What people should know and need not act on at once. */
  readonly notices: Topic
  readonly transformProject: Project
  readonly transformInterval: Duration
  readonly documentRetention: Duration
  readonly ingestTimeout: Duration
  readonly ingestMemoryMegabytes: number
  readonly logRetentionDays: number
}

/** Iterations of the Map that loads dead letters; its MaxConcurrency. Bounds the function's database connections. */
const DEAD_LETTERS_IN_FLIGHT = 5

export class Orchestration extends Construct {
  readonly stateMachine: StateMachine
  readonly quarantineFiles: SluiceFunction
  readonly collectDeadLetters: SluiceFunction
  readonly claimDeadLetters: SluiceFunction
  readonly claimTransform: SluiceFunction
  readonly loadFile: SluiceFunction
  readonly replayFiles: SluiceFunction
  readonly reconcileFiles: SluiceFunction
  readonly sweep: SluiceFunction

  constructor(scope: Construct, id: string, props: OrchestrationProps) {
    super(scope, id)

    const stateMachineName = `sluice-${props.stage}-pipeline`
    // By its name: functions that start it are Tasks of it, and CloudFormation could not decide which to make first.
    const stateMachineArn = Stack.of(this).formatArn({
      service: 'states',
      resource: 'stateMachine',
      resourceName: stateMachineName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    })
    const database = props.database.environmentOf('maintenance')
    const machine = { STATE_MACHINE_ARN: stateMachineArn }
    const transform = { TRANSFORM_INTERVAL_MINUTES: String(props.transformInterval.toMinutes()) }
    const deadLetters = { DEAD_LETTER_QUEUE_URL: props.deadLetterQueue.queueUrl }
    const replays = { REPLAY_QUEUE_URL: props.replayQueue.queueUrl }
    const taskFunction = (
      name: string,
      given: Pick<SluiceFunctionProps, 'description' | 'environment'> & Partial<SluiceFunctionProps>,
    ) =>
      new SluiceFunction(this, name, {
        stage: props.stage,
        folder: name.replaceAll(/(?!^)[A-Z]/g, '-$&').toLowerCase(),
        memoryMegabytes: 512,
        logRetentionDays: props.logRetentionDays,
        // Below its Task's TimeoutSeconds, so that the function ends first and says why; above what the database allows a
        // transaction (45 s), so that the database does so even before.
        timeout: Duration.seconds(50),
        reservedConcurrency: 2,
        reservesConcurrency: props.reservesConcurrency,
        network: props.network,
        ...given,
      })

    this.quarantineFiles = taskFunction('QuarantineFiles', {
      description: 'Copies refused files and their reasons to quarantine/',
      environment: database,
      reservedConcurrency: 5,
    })
    this.collectDeadLetters = taskFunction('CollectDeadLetters', {
      description: 'Takes dead letters out of their queue into the ledger',
      environment: { ...database, ...deadLetters },
      timeout: Duration.seconds(60),
    })
    this.claimDeadLetters = taskFunction('ClaimDeadLetters', {
      description: 'Leases dead letters to a drain, and sums it up',
      environment: database,
    })
    this.claimTransform = taskFunction('ClaimTransform', {
      description: 'Says whether an execution is to run dbt',
      environment: { ...database, ...transform, TRANSFORM_PROJECT_NAME: props.transformProject.projectName },
    })
    this.loadFile = taskFunction('LoadFile', {
      description: 'Loads one dead letter alone',
      environment: { ...props.database.environmentOf('ingest'), ...machine, ...transform },
      timeout: props.ingestTimeout,
      memoryMegabytes: props.ingestMemoryMegabytes,
      reservedConcurrency: DEAD_LETTERS_IN_FLIGHT,
    })
    this.replayFiles = taskFunction('ReplayFiles', {
      description: 'Has files loaded again, or tries what would become of them',
      environment: { ...database, ...replays },
      memoryMegabytes: props.ingestMemoryMegabytes,
    })
    this.reconcileFiles = taskFunction('ReconcileFiles', {
      description: 'Has versions loaded that the bucket holds and the ledger does not, or counts them',
      environment: { ...database, ...replays, LANDING_BUCKET_ARN: props.bucket.bucketArn },
    })
    this.sweep = taskFunction('Sweep', {
      description: 'Starts what was forgotten, and drops documents that are old',
      environment: {
        ...database,
        ...machine,
        ...deadLetters,
        RAW_RETENTION_DAYS: String(props.documentRetention.toDays()),
      },
    })

    const taskFunctions = {
      QuarantineFiles: this.quarantineFiles,
      CollectDeadLetters: this.collectDeadLetters,
      ClaimDeadLetters: this.claimDeadLetters,
      ClaimTransform: this.claimTransform,
      LoadFile: this.loadFile,
      ReplayFiles: this.replayFiles,
      ReconcileFiles: this.reconcileFiles,
      Sweep: this.sweep,
    }
    this.stateMachine = new StateMachine(this, 'Pipeline', {
      stateMachineName,
      definitionBody: DefinitionBody.fromFile(join(import.meta.dirname, '../workflows/pipeline.asl.json')),
      definitionSubstitutions: {
        ...Object.fromEntries(
          Object.entries(taskFunctions).map(([name, task]) => [`${name}FunctionArn`, task.functionArn]),
        ),
        NoticeTopicArn: props.notices.topicArn,
        TransformProjectName: props.transformProject.projectName,
      },
      logs: {
        level: LogLevel.ERROR,
        destination: new LogGroup(this, 'PipelineLog', {
          logGroupName: `/aws/vendedlogs/states/sluice-${props.stage}-pipeline`,
          retention: props.logRetentionDays as RetentionDays,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
      },
    })

    // By the name again: the grant of the state machine itself would be the same circle.
    for (const starter of [this.loadFile, this.sweep]) {
      starter.addToRolePolicy(new PolicyStatement({ actions: ['states:StartExecution'], resources: [stateMachineArn] }))
    }
    // A definition from a file brings no permissions with it.
    for (const task of Object.values(taskFunctions)) task.grantInvoke(this.stateMachine)
    props.notices.grantPublish(this.stateMachine)
    // What `startBuild.sync` does: it starts the build, hears of its end by a rule of its own, and stops it with the execution.
    // https://docs.aws.amazon.com/step-functions/latest/dg/connect-codebuild.html
    this.stateMachine.addToRolePolicy(
      new PolicyStatement({
        actions: [
          'codebuild:StartBuild',
          'codebuild:StopBuild',
          'codebuild:BatchGetBuilds',
          'codebuild:BatchGetReports',
        ],
        resources: [props.transformProject.projectArn],
      }),
    )
    this.stateMachine.addToRolePolicy(
      new PolicyStatement({
        actions: ['events:PutTargets', 'events:PutRule', 'events:DescribeRule'],
        resources: [
          Stack.of(this).formatArn({
            service: 'events',
            resource: 'rule',
            resourceName: 'StepFunctionsGetEventForCodeBuildStartBuildRule',
          }),
        ],
      }),
    )
    this.claimTransform.addToRolePolicy(
      new PolicyStatement({
        actions: ['codebuild:ListBuildsForProject', 'codebuild:BatchGetBuilds'],
        resources: [props.transformProject.projectArn],
      }),
    )
    // A long drain goes on in a fresh execution.
    this.stateMachine.addToRolePolicy(
      new PolicyStatement({ actions: ['states:StartExecution'], resources: [stateMachineArn] }),
    )
  }
}
