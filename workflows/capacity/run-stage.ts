/** Simulates a stage under a load, with AWS's pollers. */
import { instanceClass } from './instance-classes.ts'
import { poissonArrivals } from './random.ts'
import { serviceTimesOf } from './service-times.ts'
import { type Simulated, simulate } from './simulation.ts'
import type { StageSettings } from './stage-settings.ts'

export interface CapacityLoad {
  readonly filesPerDay: number
  /** Of a file, each of 1,000 bytes. */
  readonly kilobytes: number
  /** How many times the mean the busiest hour has; 1: all hours are alike. */
  readonly peak: number
}

export const SECONDS_PER_DAY = 86_400

/** Long enough to have thousands of windows' worth of files at 100,000 a day. */
const SPAN_SECONDS = 3_600
/**
 * Most files of one simulation; more shorten the span, to four minutes at 100 million a day. Those take half a second and have
 * thousands of batches, while an hour takes five seconds and says the same.
 */
const FILES_MAX = 300_000

/** S3's event and what SQS adds to it: identifiers, attributes, ARN. */
const MESSAGE_BYTES = 1_700
/** "Typically delivered in seconds." https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html */
const DELIVERY_SECONDS = 1
/** Within a region. */
const RECEIVE_SECONDS = 0.02
/** https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html */
const POLLERS = 5

/** Files a second in the busiest hour. */
export const rateOf = ({ filesPerDay, peak }: CapacityLoad): number => (filesPerDay * peak) / SECONDS_PER_DAY

/** Simulates the busiest hour. */
export function runStage(settings: StageSettings, load: CapacityLoad, seed = 1): Simulated {
  const rate = rateOf(load)
  const { batchSize, windowSeconds, ingestConcurrency, memoryMegabytes, visibilityTimeoutSeconds } = settings
  return simulate({
    arrivals: poissonArrivals(seed, rate, Math.min(SPAN_SECONDS, FILES_MAX / rate)),
    seed,
    mapping: {
      ...{ batchSize, windowSeconds, maximumConcurrency: ingestConcurrency, messageBytes: MESSAGE_BYTES },
      ...{ pollers: POLLERS, receiveSeconds: RECEIVE_SECONDS, choice: 'random' },
    },
    service: serviceTimesOf(load.kilobytes, memoryMegabytes),
    cores: instanceClass(settings.instanceType, settings.maxUnits).vcpus,
    deliverySeconds: DELIVERY_SECONDS,
    visibilityTimeoutSeconds,
    // One in a hundred would be the p99 by itself: a message that comes again comes 7 minutes later.
    failingShare: 0,
  })
}
