/** How people look in: the function through which the command line reads the ledger. */
import { Duration } from 'aws-cdk-lib'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import type { Database } from './database.ts'
import type { Network } from './network.ts'
import { SluiceFunction } from './sluice-function.ts'

export interface InspectionProps {
  readonly stage: string
  /** Named in answers; nothing in it is read. */
  readonly bucket: IBucket
  readonly database: Database
  readonly network: Network | undefined
  readonly reservesConcurrency: boolean
  readonly logRetentionDays: number
}

export class Inspection extends Construct {
  readonly readLedger: SluiceFunction

  constructor(scope: Construct, id: string, props: InspectionProps) {
    super(scope, id)

    this.readLedger = new SluiceFunction(this, 'ReadLedger', {
      stage: props.stage,
      folder: 'read-ledger',
      description: 'Answers questions about the ledger for the command line; only reads',
      // Above what the database allows a transaction (45 s), so that the function ends first and says why.
      timeout: Duration.seconds(50),
      // Answers are small. Half a gigabyte would only make a start faster that happens a few times a day.
      memoryMegabytes: 256,
      // Bounds the database connections. More people at once are throttled, and their command line tries again.
      reservedConcurrency: 2,
      reservesConcurrency: props.reservesConcurrency,
      network: props.network,
      environment: {
        ...props.database.environmentOf('inspection'),
        LANDING_BUCKET_ARN: props.bucket.bucketArn,
      },
      logRetentionDays: props.logRetentionDays,
    })
  }
}
