/** What happens after the commit: the state machine and the functions of its Tasks. */
import { join } from 'node:path'
import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import { DefinitionBody, LogLevel, StateMachine } from 'aws-cdk-lib/aws-stepfunctions'
import { Construct } from 'constructs'
import { SluiceFunction } from './sluice-function.ts'

export interface OrchestrationProps {
  readonly stage: string
  readonly databaseSecret: Secret
  readonly logRetentionDays: number
}

export class Orchestration extends Construct {
  readonly stateMachine: StateMachine
  readonly quarantineFiles: SluiceFunction

  constructor(scope: Construct, id: string, props: OrchestrationProps) {
    super(scope, id)

    this.quarantineFiles = new SluiceFunction(this, 'QuarantineFiles', {
      stage: props.stage,
      folder: 'quarantine-files',
      description: 'Copies refused files and their reasons to quarantine/',
      // Below the Task's TimeoutSeconds, so that the function ends first and says why.
      timeout: Duration.seconds(50),
      memoryMegabytes: 512,
      environment: { DATABASE_SECRET_ARN: props.databaseSecret.secretArn },
      logRetentionDays: props.logRetentionDays,
    })

    this.stateMachine = new StateMachine(this, 'Pipeline', {
      stateMachineName: `sluice-${props.stage}-pipeline`,
      definitionBody: DefinitionBody.fromFile(join(import.meta.dirname, '../workflows/pipeline.asl.json')),
      definitionSubstitutions: { QuarantineFilesFunctionArn: this.quarantineFiles.functionArn },
      logs: {
        level: LogLevel.ERROR,
        destination: new LogGroup(this, 'PipelineLog', {
          logGroupName: `/aws/vendedlogs/states/sluice-${props.stage}-pipeline`,
          retention: props.logRetentionDays as RetentionDays,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
      },
    })
    // A definition from a file brings no permissions with it.
    this.quarantineFiles.grantInvoke(this.stateMachine)
  }
}
