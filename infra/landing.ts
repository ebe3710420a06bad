/** Where files land: the bucket, and the queue of what arrived under `input/`. */
import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import { BlockPublicAccess, Bucket, BucketEncryption, EventType, type IBucket } from 'aws-cdk-lib/aws-s3'
import { SqsDestination } from 'aws-cdk-lib/aws-s3-notifications'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'

export interface LandingProps {
  readonly stage: string
  /** A bucket that is there, versioned. It is made if not given. */
  readonly landingBucketName?: string
  readonly batchingWindow: Duration
  readonly ingestTimeout: Duration
  readonly receivesBeforeDeadLetter: number
  readonly queueRetention: Duration
  readonly deadLetterRetention: Duration
  readonly inputRetention: Duration
  readonly overwrittenInputRetention: Duration
  readonly quarantineRetention: Duration
  readonly overwrittenQuarantineRetention: Duration
}

export class Landing extends Construct {
  readonly bucket: IBucket
  readonly queue: Queue
  /** Files that a person asked for again. Apart from what arrives, so that 100,000 of them hold up nothing. */
  readonly replayQueue: Queue
  readonly deadLetterQueue: Queue

  constructor(scope: Construct, id: string, props: LandingProps) {
    super(scope, id)

    this.bucket =
      props.landingBucketName === undefined ? this.#makeBucket(props) : this.#findBucket(props.landingBucketName)

    this.deadLetterQueue = new Queue(this, 'DeadLetterQueue', {
      queueName: `sluice-${props.stage}-dead-letters`,
      retentionPeriod: props.deadLetterRetention,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
    })

    const ingestQueue = {
      // AWS's rule for queues that feed Lambda: six times the function's timeout, and the window on top.
      // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
      visibilityTimeout: Duration.seconds(6 * props.ingestTimeout.toSeconds() + props.batchingWindow.toSeconds()),
      retentionPeriod: props.queueRetention,
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount: props.receivesBeforeDeadLetter },
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
    }
    this.queue = new Queue(this, 'Queue', { queueName: `sluice-${props.stage}-ingest`, ...ingestQueue })
    this.replayQueue = new Queue(this, 'ReplayQueue', { queueName: `sluice-${props.stage}-replay`, ...ingestQueue })

    // What does not match is never sent: noise costs nothing. Quarantined copies lie outside `input/`, so they cannot loop.
    this.bucket.addEventNotification(EventType.OBJECT_CREATED, new SqsDestination(this.queue), {
      prefix: 'input/',
      suffix: '.json',
    })
  }

  // As its users want it: with exactOptionalPropertyTypes a Bucket is no IBucket.
  #makeBucket(props: LandingProps): IBucket {
    return new Bucket(this, 'Bucket', {
      // A version can be read exactly as the event names it, and an overwrite loses nothing that was not read yet.
      versioned: true,
      enforceSSL: true,
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      removalPolicy: RemovalPolicy.RETAIN,
      lifecycleRules: [
        {
          id: 'input',
          prefix: 'input/',
          expiration: props.inputRetention,
          noncurrentVersionExpiration: props.overwrittenInputRetention,
        },
        {
          id: 'quarantine',
          prefix: 'quarantine/',
          expiration: props.quarantineRetention,
          noncurrentVersionExpiration: props.overwrittenQuarantineRetention,
        },
        { id: 'leftovers', abortIncompleteMultipartUploadAfter: Duration.days(7), expiredObjectDeleteMarker: true },
      ],
    }) as IBucket
  }

  /**
   * Its owner answers for versions, encryption and lifecycle. Its other notifications stay: CDK adds to those of a bucket that it
   * has not made.
   */
  #findBucket(name: string): IBucket {
    return Bucket.fromBucketName(this, 'Bucket', name)
  }
}
