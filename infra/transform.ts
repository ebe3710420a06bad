/** What builds the marts: a CodeBuild project that runs dbt, and the bucket that holds what it made besides. */
import { join } from 'node:path'
import { AssetHashType, Duration, RemovalPolicy } from 'aws-cdk-lib'
import { Artifacts, BuildSpec, Cache, ComputeType, LinuxBuildImage, Project, Source } from 'aws-cdk-lib/aws-codebuild'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import { BlockPublicAccess, Bucket, BucketEncryption, type IBucket } from 'aws-cdk-lib/aws-s3'
import { Asset } from 'aws-cdk-lib/aws-s3-assets'
import type { Topic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import { bundleTransform } from './bundle-transform.ts'
import { bundledBy } from './bundling.ts'
import type { Database } from './database.ts'
import type { Network } from './network.ts'

export interface TransformProps {
  readonly stage: string
  readonly database: Database
  readonly network: Network | undefined
  readonly notices: Topic
  readonly transformInterval: Duration
  readonly artifactRetention: Duration
  readonly logRetentionDays: number
}

export class Transform extends Construct {
  readonly project: Project

  constructor(scope: Construct, id: string, props: TransformProps) {
    super(scope, id)

    // As CodeBuild's constructs want it: with exactOptionalPropertyTypes a Bucket is no IBucket.
    const bucket: IBucket = new Bucket(this, 'Builds', {
      enforceSSL: true,
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      // Of no worth without the database; but a bucket with something in it cannot be deleted, and it empties itself.
      removalPolicy: RemovalPolicy.RETAIN,
      lifecycleRules: [{ id: 'builds', expiration: props.artifactRetention }],
    }) as IBucket
    // The build sees what is bundled and nothing else.
    const source = new Asset(this, 'Source', {
      path: join(import.meta.dirname, '../dbt'),
      assetHashType: AssetHashType.OUTPUT,
      bundling: bundledBy(bundleTransform),
    })

    const projectName = `sluice-${props.stage}-transform`
    this.project = new Project(this, 'Project', {
      projectName,
      description: 'Builds the marts with dbt',
      source: Source.s3({ bucket: source.bucket, path: source.s3ObjectKey }),
      buildSpec: BuildSpec.fromSourceFilename('buildspec.yml'),
      environment: { buildImage: LinuxBuildImage.AMAZON_LINUX_2023_5, computeType: ComputeType.SMALL },
      environmentVariables: {
        ...props.database.variablesOf('transform'),
        SLUICE_STAGE: { value: props.stage },
        TRANSFORM_INTERVAL_MINUTES: { value: String(props.transformInterval.toMinutes()) },
        NOTICE_TOPIC_ARN: { value: props.notices.topicArn },
      },
      ...props.network?.placementOfBuilds,
      // Two at once would do the same work twice, and wait for each other's locks.
      concurrentBuildLimit: 1,
      // Below the interval, or builds would never end. RunDbt waits for this and for the queue before it.
      timeout: Duration.minutes(30),
      queuedTimeout: Duration.minutes(10),
      // The Python packages: a build that finds them downloads nothing.
      cache: Cache.bucket(bucket, { prefix: 'cache/transform' }),
      artifacts: Artifacts.s3({
        bucket,
        path: 'transform',
        includeBuildId: true,
        packageZip: false,
        name: 'artifacts',
      }),
      logging: {
        cloudWatch: {
          logGroup: new LogGroup(this, 'ProjectLog', {
            logGroupName: `/aws/codebuild/${projectName}`,
            retention: props.logRetentionDays as RetentionDays,
            removalPolicy: RemovalPolicy.DESTROY,
          }),
        },
      },
    })
  }
}
