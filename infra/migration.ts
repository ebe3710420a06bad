/** How the database gets the schema of this release: a build that applies the migrations, run by every deployment. */
import { join } from 'node:path'
import { AssetHashType, Duration, RemovalPolicy } from 'aws-cdk-lib'
import { ComputeType, LinuxBuildImage, Project, Source } from 'aws-cdk-lib/aws-codebuild'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Asset } from 'aws-cdk-lib/aws-s3-assets'
import { Trigger } from 'aws-cdk-lib/triggers'
import { Construct } from 'constructs'
import { bundleMigration } from './bundle-migration.ts'
import { bundledBy } from './bundling.ts'
import type { Database } from './database.ts'
import type { Network } from './network.ts'
import { SluiceFunction } from './sluice-function.ts'

export interface MigrationProps {
  readonly stage: string
  readonly database: Database
  readonly network: Network | undefined
  readonly logRetentionDays: number
}

export class Migration extends Construct {
  readonly project: Project
  readonly startBuild: SluiceFunction
  /** Runs within the deployment, whenever the migrations or their program have changed, and fails it when they fail. */
  readonly trigger: Trigger

  constructor(scope: Construct, id: string, props: MigrationProps) {
    super(scope, id)

    const projectName = `sluice-${props.stage}-migrate`
    const bundle = new Asset(this, 'Bundle', {
      path: join(import.meta.dirname, '../db'),
      // Of what is bundled: the trigger runs when migrations or program have changed, and for no other reason.
      assetHashType: AssetHashType.OUTPUT,
      bundling: bundledBy(bundleMigration),
    })
    const log = new LogGroup(this, 'BuildLog', {
      logGroupName: `/aws/codebuild/${projectName}`,
      retention: props.logRetentionDays as RetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    this.project = new Project(this, 'Project', {
      projectName,
      description: 'Brings the database to the present schema',
      source: Source.s3({ bucket: bundle.bucket, path: bundle.s3ObjectKey }),
      environment: { buildImage: LinuxBuildImage.AMAZON_LINUX_2023_5, computeType: ComputeType.SMALL },
      environmentVariables: {
        ...props.database.variablesOf('admin'),
        ...props.database.passwordVariables,
      },
      ...props.network?.placementOfBuilds,
      // An index on a large table takes minutes. The deployment waits for 15 and fails then; the build ends its work.
      timeout: Duration.minutes(30),
      // The deployment waits meanwhile. A minute is usual; what waits for longer comes too late for it.
      queuedTimeout: Duration.minutes(5),
      logging: { cloudWatch: { logGroup: log } },
      grantReportGroupPermissions: false,
    })

    this.startBuild = new SluiceFunction(this, 'StartBuild', {
      stage: props.stage,
      folder: 'start-build',
      description: 'Runs the migration for a deployment, waits for it, and says why it failed',
      // Lambda's longest. It ends by itself before, and says so.
      timeout: Duration.minutes(15),
      // It only waits.
      memoryMegabytes: 256,
      environment: {
        PROJECT_NAME: this.project.projectName,
        // Makes another version of the function, which is what has the trigger run.
        SOURCE_HASH: bundle.assetHash,
      },
      logRetentionDays: props.logRetentionDays,
    })
    this.startBuild.addToRolePolicy(
      new PolicyStatement({
        actions: ['codebuild:StartBuild', 'codebuild:BatchGetBuilds'],
        resources: [this.project.projectArn],
      }),
    )
    log.grant(this.startBuild, 'logs:GetLogEvents')

    this.trigger = new Trigger(this, 'Trigger', {
      handler: this.startBuild,
      timeout: Duration.minutes(15),
      // Also what nothing refers to: the policy by which the build reads its source and its secrets.
      executeAfter: [this.project, props.database],
    })
  }
}
