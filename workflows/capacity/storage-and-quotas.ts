/** What grows with the files, and what AWS has only so much of. */
import { daysUntilTooLong } from './dbt-build.ts'
import { type Needs, UTILISATION_LIMIT } from './needs.ts'
import { type CapacityLoad, SECONDS_PER_DAY } from './run-stage.ts'
import type { StageSettings } from './stage-settings.ts'
import { documentGigabytesPerDay, keptGigabytesPerDay, VOLUME_TERABYTES } from './volume.ts'

/** Concurrent executions of an account that has asked, or is no longer new. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const LAMBDA_QUOTA = 1_000
/** AWS refuses reservations that leave less to all other functions. */
const UNRESERVED = 100

const DAYS_PER_MONTH = 365 / 12

export interface Storage {
  /** GB that a month adds to the documents, for as long as they are kept. */
  readonly documentGigabytesPerMonth: number
  /** GB that a month adds to ledger and marts, which are kept for ever. */
  readonly keptGigabytesPerMonth: number
  /** Days of documents that the volume holds beside a year of ledger and marts. */
  readonly documentDaysMax: number
  readonly marts: { readonly daysUntilTooLong: number }
}

/** Of each of the stages, if there must be several. */
export function measureStorage(load: CapacityLoad, { stages, settings }: Needs): Storage {
  const own = { ...load, filesPerDay: load.filesPerDay / stages }
  const left = Math.max(0, VOLUME_TERABYTES * 1_000 - 365 * keptGigabytesPerDay(own))
  const interval = settings.transformIntervalMinutes * 60
  const newFiles = (own.filesPerDay * interval) / SECONDS_PER_DAY
  return {
    documentGigabytesPerMonth: documentGigabytesPerDay(own) * DAYS_PER_MONTH,
    keptGigabytesPerMonth: keptGigabytesPerDay(own) * DAYS_PER_MONTH,
    documentDaysMax: Math.floor(left / documentGigabytesPerDay(own)),
    marts: {
      daysUntilTooLong: daysUntilTooLong(own.filesPerDay, own.kilobytes, UTILISATION_LIMIT * interval, newFiles),
    },
  }
}

/** Concurrent executions that the account must have. */
export function lambdaQuotaOf(configured: StageSettings, { stages, settings }: Needs): number {
  const more = Math.max(0, settings.ingestConcurrency - configured.ingestConcurrency)
  return stages * (configured.reservedConcurrency + more) + UNRESERVED
}
