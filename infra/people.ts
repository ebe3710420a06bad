/** What people may do: two managed policies to attach to whatever roles they come with. Nobody needs the database for it. */
import { ArnFormat, Stack } from 'aws-cdk-lib'
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions'
import { Construct } from 'constructs'

export interface PeopleProps {
  readonly stage: string
  readonly landingBucketArn: string
  readonly queues: readonly IQueue[]
  /** By which people are told. */
  readonly topics: readonly ITopic[]
  readonly stateMachine: StateMachine
  readonly readLedger: IFunction
  readonly replayFiles: IFunction
  readonly reconcileFiles: IFunction
  readonly eraseFile: IFunction
}

export class People extends Construct {
  constructor(scope: Construct, id: string, props: PeopleProps) {
    super(scope, id)

    const { stateMachineArn } = props.stateMachine
    const executions = Stack.of(this).formatArn({
      service: 'states',
      resource: 'execution',
      resourceName: `${props.stateMachine.stateMachineName}:*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    })
    const view = [
      new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [props.readLedger.functionArn] }),
      new PolicyStatement({
        actions: ['sqs:GetQueueUrl', 'sqs:GetQueueAttributes'],
        resources: props.queues.map(({ queueArn }) => queueArn),
      }),
      // Who is told, and who has not confirmed it yet.
      new PolicyStatement({
        actions: ['sns:ListSubscriptionsByTopic'],
        resources: props.topics.map(({ topicArn }) => topicArn),
      }),
      // By name it can only be found among all.
      new PolicyStatement({ actions: ['states:ListStateMachines'], resources: ['*'] }),
      new PolicyStatement({ actions: ['states:ListExecutions'], resources: [stateMachineArn] }),
      new PolicyStatement({
        actions: ['states:DescribeExecution', 'states:GetExecutionHistory'],
        resources: [executions],
      }),
    ]
    const operate = [
      // The dry runs of the first two.
      new PolicyStatement({
        actions: ['lambda:InvokeFunction'],
        resources: [props.replayFiles.functionArn, props.reconcileFiles.functionArn, props.eraseFile.functionArn],
      }),
      new PolicyStatement({ actions: ['states:StartExecution'], resources: [stateMachineArn] }),
      new PolicyStatement({ actions: ['states:RedriveExecution'], resources: [executions] }),
      new PolicyStatement({ actions: ['s3:PutObject'], resources: [`${props.landingBucketArn}/input/*`] }),
      new PolicyStatement({
        actions: ['s3:GetObject', 's3:GetObjectVersion'],
        resources: [`${props.landingBucketArn}/input/*`, `${props.landingBucketArn}/quarantine/*`],
      }),
      // A version that is missing must be a 404, and not a 403.
      new PolicyStatement({ actions: ['s3:ListBucket'], resources: [props.landingBucketArn] }),
    ]

    // `sluice status`, `explain`, `quarantine`, `batches`, `executions`, `execution`: counts, keys and reasons, no file's content.
    new ManagedPolicy(this, 'Viewer', {
      managedPolicyName: `sluice-${props.stage}-viewer`,
      description: `Sluice ${props.stage}: sees what became of files, batches and executions`,
      statements: view,
    })
    // Also `load`, `redrive`, `replay`, `reconcile`, `backfill`, `transform`, `erase` (by its function, which writes down who), and the
    // content of files, to see why one was refused.
    new ManagedPolicy(this, 'Operator', {
      managedPolicyName: `sluice-${props.stage}-operator`,
      description: `Sluice ${props.stage}: sees, loads, replays, reconciles, redrives, transforms and erases`,
      statements: [...view, ...operate],
    })
  }
}
