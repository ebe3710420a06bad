/** What must change in a stage for a load: the difference between what it has and what it needs, with the reason in figures. */
import { PUT_TO_COMMIT_P99_MAX_SECONDS } from '../../handlers/limits.ts'
import { newSeconds } from './dbt-build.ts'
import { instanceClass } from './instance-classes.ts'
import { coresBusy, type Needs, STARTS_PER_SECOND, UTILISATION_LIMIT } from './needs.ts'
import { type CapacityLoad, rateOf, SECONDS_PER_DAY } from './run-stage.ts'
import { batchSeconds, serviceTimesOf } from './service-times.ts'
import type { Simulated } from './simulation.ts'
import type { StageSettings } from './stage-settings.ts'
import { LAMBDA_QUOTA, type Storage } from './storage-and-quotas.ts'
import { VOLUME_TERABYTES, volumeShare } from './volume.ts'

/** What is further away than a year nobody plans today. */
const TOLD_DAYS = 365

export interface Change {
  /** As infra/app.ts calls it, where it is there. */
  readonly setting: string
  readonly from: string
  readonly to: string
  readonly because: string
}

export interface Compared {
  readonly load: CapacityLoad
  readonly configured: StageSettings
  readonly asConfigured: Simulated
  readonly needs: Needs
  readonly storage: Storage
  readonly lambdaQuota: number
}

export function findChanges(compared: Compared): Change[] {
  const { configured, needs } = compared
  const { settings } = needs
  const changed = (setting: string, from: number | string, to: number | string, because: () => string): Change[] =>
    from === to ? [] : [{ setting, from: String(from), to: String(to), because: because() }]
  const atLeast = (from: number, to: number) => Math.max(from, to)
  return [
    ...changed('stages', 1, needs.stages, () => whyStages(compared)),
    ...changed('batchSize', configured.batchSize, settings.batchSize, () => whyBatchSize(compared)),
    ...changed(
      'batchingWindow',
      seconds(configured.windowSeconds),
      seconds(settings.windowSeconds),
      () => `p99 would be ${figure(compared.asConfigured.lagSeconds.p99)} s of ${PUT_TO_COMMIT_P99_MAX_SECONDS} s`,
    ),
    ...changed(
      'ingestConcurrency',
      configured.ingestConcurrency,
      atLeast(configured.ingestConcurrency, settings.ingestConcurrency),
      () => whyConcurrency(compared),
    ),
    ...changed('instanceType', configured.instanceType, settings.instanceType, () => whyInstance(compared)),
    ...changed(
      'transformInterval',
      `${configured.transformIntervalMinutes} min`,
      `${settings.transformIntervalMinutes} min`,
      () => 'a build that finds nothing new takes too much of it',
    ),
    ...changed(
      "Lambda's quota",
      LAMBDA_QUOTA,
      atLeast(LAMBDA_QUOTA, compared.lambdaQuota),
      () => 'what all functions reserve, and the 100 that AWS keeps for the rest of the account',
    ),
    ...whatOutgrows(compared),
  ]
}

function whyStages({ configured, load }: Compared): string {
  const busy = figure(coresBusy(configured, load))
  const build = percent(newSeconds(load.filesPerDay / SECONDS_PER_DAY, load.kilobytes))
  const starts = figure(rateOf(load) / configured.batchSize)
  return (
    `split the sources over so many: together they keep ${busy} of the writer's cores busy, dbt for ${build} of the time, ` +
    `start ${starts} executions a second of the ${STARTS_PER_SECOND} that Step Functions takes, and a year of ledger and marts ` +
    `fills ${percent(volumeShare(load))} of Aurora's volume`
  )
}

function whyBatchSize({ configured, load }: Compared): string {
  const service = serviceTimesOf(load.kilobytes, configured.memoryMegabytes)
  const full = figure(batchSeconds(service, configured.batchSize))
  return `a full batch would take ${full} s, and the function is ended after ${configured.ingestTimeoutSeconds} s`
}

function whyConcurrency({ asConfigured, needs: { simulated, settings } }: Compared): string {
  const before = asConfigured.isUnstable
    ? 'the queue grows without end'
    : `${percent(asConfigured.functionUtilisation)} busy`
  return `${before}; with ${settings.ingestConcurrency} they are ${percent(simulated.functionUtilisation)} busy`
}

function whyInstance({ configured, load, needs: { stages } }: Compared): string {
  const busy = coresBusy(configured, { ...load, filesPerDay: load.filesPerDay / stages })
  const { sustainedVcpus, vcpus } = instanceClass(configured.instanceType, configured.maxUnits)
  const has = sustainedVcpus < vcpus ? `a baseline of ${figure(sustainedVcpus)}` : figure(vcpus)
  return `loading and dbt keep ${figure(busy)} vCPUs busy, and it has ${has}`
}

function whatOutgrows({ storage, configured }: Compared): Change[] {
  const { documentDaysMax, marts } = storage
  const { rawRetentionDays } = configured
  const documents = {
    setting: 'retention of documents',
    from: `${rawRetentionDays} days`,
    to: `${documentDaysMax} days`,
    because: `Aurora's volume ends at ${VOLUME_TERABYTES} TB, with a year of ledger and marts in it`,
  }
  const tests = {
    setting: 'tests of the marts',
    from: 'all rows',
    to: `the newest ${figure(marts.daysUntilTooLong)} days`,
    because: `reading more takes a build longer than ${percent(UTILISATION_LIMIT)} of ${configured.transformIntervalMinutes} min`,
  }
  return [
    ...(documentDaysMax < rawRetentionDays ? [documents] : []),
    ...(marts.daysUntilTooLong < TOLD_DAYS ? [tests] : []),
  ]
}

export const percent = (share: number): string => `${Math.round(share * 100)} %`

/** Two digits that count. */
export const figure = (value: number): string => Number(value.toPrecision(2)).toLocaleString('en-US')

const seconds = (value: number): string => `${value} s`
