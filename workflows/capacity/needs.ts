/** The settings that a stage needs for a load: of each the smallest that is enough. */
import { PUT_TO_COMMIT_P99_MAX_SECONDS } from '../../handlers/limits.ts'
import { newSeconds, shortestInterval, stagesForBuilds } from './dbt-build.ts'
import { type InstanceClass, instanceClass, maxConnections, PROPOSED_CLASSES } from './instance-classes.ts'
import { type CapacityLoad, rateOf, runStage, SECONDS_PER_DAY } from './run-stage.ts'
import { batchSeconds, serviceTimesOf } from './service-times.ts'
import type { Simulated } from './simulation.ts'
import type { StageSettings } from './stage-settings.ts'
import { volumeShare } from './volume.ts'

/** Beyond, a little more load makes queues much longer, and nothing is left for a busy hour. */
export const UTILISATION_LIMIT = 0.7
/** Of the function's timeout: one that is slow for once must not be cut off. */
const TIMEOUT_SHARE = 0.5
/** Of the connections that the database takes: people and dbt need some too. */
const CONNECTIONS_SHARE = 0.8
/** A mapping's. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html */
const CONCURRENCY_MIN = 2
const CONCURRENCY_MAX = 1_000
/** Standard executions started in a second. https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
export const STARTS_PER_SECOND = 300

export interface Needs {
  /** Stages side by side, with sources of their own, where the largest settings of one are not enough. */
  readonly stages: number
  /** Of each stage. */
  readonly settings: StageSettings
  readonly simulated: Simulated
}

/** Finds what is needed. A concurrency that is more than enough comes out smaller than it is. */
export function findNeeds(settings: StageSettings, load: CapacityLoad): Needs {
  const shortest = Math.ceil(shortestInterval(UTILISATION_LIMIT) / 60)
  const fitting = {
    ...settings,
    batchSize: largestBatch(settings, load),
    transformIntervalMinutes: Math.max(settings.transformIntervalMinutes, shortest),
  }
  const stages = countStages(fitting, load)
  const own = { ...load, filesPerDay: load.filesPerDay / stages }
  const sized = { ...fitting, ...smallestInstance(settings, coresBusy(settings, own)) }
  const found = smallestConcurrency(sized, own)
  // What waits too long although functions are idle waits for its window.
  const excess = found.simulated.lagSeconds.p99 - PUT_TO_COMMIT_P99_MAX_SECONDS
  if (excess < 0 || sized.windowSeconds === 0) return { stages, ...found }
  const windowSeconds = Math.max(0, Math.floor(sized.windowSeconds - excess - 1))
  return { stages, ...smallestConcurrency({ ...sized, windowSeconds }, own) }
}

/** Cores of the writer that are busy on average, with loading and with what dbt builds of it. */
export function coresBusy({ memoryMegabytes }: StageSettings, load: CapacityLoad): number {
  const { databaseSecondsPerFile } = serviceTimesOf(load.kilobytes, memoryMegabytes)
  return rateOf(load) * (databaseSecondsPerFile + newSeconds(1, load.kilobytes))
}

/** Functions that are busy on average when batches are full. */
const functionsBusy = ({ batchSize, memoryMegabytes }: StageSettings, load: CapacityLoad): number =>
  (rateOf(load) * batchSeconds(serviceTimesOf(load.kilobytes, memoryMegabytes), batchSize)) / batchSize

function largestBatch({ batchSize, memoryMegabytes, ingestTimeoutSeconds }: StageSettings, load: CapacityLoad): number {
  const service = serviceTimesOf(load.kilobytes, memoryMegabytes)
  let files = batchSize
  while (files > 1 && batchSeconds(service, files) > TIMEOUT_SHARE * ingestTimeoutSeconds) files--
  return files
}

/** What no setting of one stage can raise: the largest instance and volume, one build at a time, the mapping's and Step Functions' most. */
function countStages(settings: StageSettings, load: CapacityLoad): number {
  const largest = PROPOSED_CLASSES.at(-1)?.sustainedVcpus ?? 1
  const shares = [
    coresBusy(settings, load) / largest,
    functionsBusy(settings, load) / CONCURRENCY_MAX,
    rateOf(load) / settings.batchSize / STARTS_PER_SECOND,
    volumeShare(load),
  ]
  return Math.max(
    1,
    // A build that takes longer after a busy hour has caught up some hours later.
    stagesForBuilds(
      load.filesPerDay / SECONDS_PER_DAY,
      load.kilobytes,
      settings.transformIntervalMinutes * 60,
      UTILISATION_LIMIT,
    ),
    ...shares.map((share) => Math.ceil(share / UTILISATION_LIMIT)),
  )
}

function smallestInstance(settings: StageSettings, busy: number): Pick<StageSettings, 'instanceType' | 'maxUnits'> {
  const { instanceType, maxUnits, reservedConcurrency } = settings
  const isEnough = (each: InstanceClass) =>
    busy <= UTILISATION_LIMIT * each.sustainedVcpus && reservedConcurrency <= CONNECTIONS_SHARE * maxConnections(each)
  if (isEnough(instanceClass(instanceType, maxUnits))) return { instanceType, maxUnits }
  const found = PROPOSED_CLASSES.find(isEnough) ?? PROPOSED_CLASSES.at(-1)
  return { instanceType: found?.name ?? instanceType, maxUnits: undefined }
}

function smallestConcurrency(settings: StageSettings, load: CapacityLoad): Omit<Needs, 'stages'> {
  const least = Math.ceil(functionsBusy(settings, load) / UTILISATION_LIMIT)
  for (let ingestConcurrency = Math.max(CONCURRENCY_MIN, least); ; ingestConcurrency++) {
    const tried = { ...settings, ingestConcurrency }
    const simulated = runStage(tried, load)
    const isEnough = !simulated.isUnstable && simulated.functionUtilisation <= UTILISATION_LIMIT
    // A p99 above the limit with idle functions is the window's, and more of them do not help.
    if (isEnough || ingestConcurrency >= CONCURRENCY_MAX) return { settings: tried, simulated }
  }
}
