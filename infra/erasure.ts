/** How what a key has held is removed for good: the function that an operator calls by `sluice erase`. */
import { Duration } from 'aws-cdk-lib'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import type { Database } from './database.ts'
import type { Network } from './network.ts'
import { SluiceFunction } from './sluice-function.ts'

export interface ErasureProps {
  readonly stage: string
  readonly bucket: IBucket
  readonly database: Database
  readonly network: Network | undefined
  readonly reservesConcurrency: boolean
  readonly logRetentionDays: number
}

/** Where files lie, and their copies. Nothing else is listed or deleted. */
const PREFIXES = ['input/*', 'quarantine/*']

export class Erasure extends Construct {
  readonly eraseFile: SluiceFunction

  constructor(scope: Construct, id: string, { bucket, ...props }: ErasureProps) {
    super(scope, id)

    this.eraseFile = new SluiceFunction(this, 'EraseFile', {
      stage: props.stage,
      folder: 'erase-file',
      description: 'Removes for good what a key has held: files, copies, documents',
      // Above what the database allows a transaction (45 s). A key of thousands of versions takes two runs.
      timeout: Duration.seconds(50),
      memoryMegabytes: 256,
      // One at a time: it is rare, and two of the same key would only count each other's work.
      reservedConcurrency: 1,
      reservesConcurrency: props.reservesConcurrency,
      network: props.network,
      environment: { ...props.database.environmentOf('erasure'), LANDING_BUCKET_ARN: bucket.bucketArn },
      logRetentionDays: props.logRetentionDays,
    })
    this.eraseFile.addToRolePolicy(
      new PolicyStatement({
        actions: ['s3:ListBucketVersions'],
        resources: [bucket.bucketArn],
        conditions: { StringLike: { 's3:prefix': PREFIXES } },
      }),
    )
    // Exact versions only: a deletion without one would leave a marker, and remove nothing.
    this.eraseFile.addToRolePolicy(
      new PolicyStatement({
        actions: ['s3:DeleteObjectVersion'],
        resources: PREFIXES.map((prefix) => bucket.arnForObjects(prefix)),
      }),
    )
  }
}
