/** S3 and SQS: what every file costs, whatever loads it. */
import { z } from 'zod'
import type { Estimate } from './estimate.ts'
import { type BillLine, charge, count } from './line.ts'
import { prices } from './prices.ts'
import { countOf, resourcesOf, type Template } from './template.ts'
import { DAYS, HOURS } from './traffic.ts'

const rule = z.looseObject({
  Prefix: z.string().optional(),
  Status: z.string(),
  ExpirationInDays: z.number().optional(),
  NoncurrentVersionExpiration: z.looseObject({ NoncurrentDays: z.number() }).optional(),
})
const bucket = z.looseObject({
  VersioningConfiguration: z.looseObject({ Status: z.string() }).optional(),
  LifecycleConfiguration: z.looseObject({ Rules: z.array(rule) }).optional(),
})

/** What a build reads and writes in its bucket: the cache, the source; artifacts, reports, the cache again. */
const BUILD_GETS = 4
const BUILD_PUTS = 8

/** Requests that SQS allows a month for nothing. */
const FREE_REQUESTS = 1_000_000
/** Messages that one call takes. */
const MESSAGES_PER_CALL = 10
/** Seconds that a poller waits for a message. */
const POLL_SECONDS = 20

/** Versions that S3 lists in one request. */
const VERSIONS_PER_PAGE = 1_000

function landingIn(template: Template) {
  const buckets = resourcesOf(template, 'AWS::S3::Bucket', bucket)
  return buckets.find(({ VersioningConfiguration }) => VersioningConfiguration !== undefined) ?? buckets[0]
}

/** Days for which a file is kept under `input/`. */
function daysOfInput({ template, assumed }: Estimate): number {
  const landing = landingIn(template)
  return landing === undefined ? 0 : daysHeld(landing, 'input/', assumed.stageAgeMonths * DAYS)
}

/** Requests that list all that is kept under `input/`. */
export const listedPages = (estimate: Estimate): number =>
  Math.ceil((estimate.load.filesPerDay * daysOfInput(estimate)) / VERSIONS_PER_PAGE)

export function storageLines(estimate: Estimate): BillLine[] {
  const { template, traffic, assumed, load } = estimate
  const { files, refused, redelivered, builds, gigabytes, schedules } = traffic
  const gets = files + redelivered
  const buckets = resourcesOf(template, 'AWS::S3::Bucket', bucket)
  const days = daysOfInput(estimate)
  const listings = schedules.find(({ trigger }) => trigger === 'reconcile')?.runs ?? 0
  const pages = listedPages(estimate)
  const perDay = gigabytes / DAYS
  const isMade = buckets.length > 0
  return [
    charge('S3: producers put files', prices.s3Put, [[files, `${count(files)} PUT`]]),
    charge('S3: files are read', prices.s3Get, [[gets, `${count(gets)} GET`]]),
    charge('S3: refused files and builds write', prices.s3Put, [
      [refused * 2, `${count(refused)} refused x 2`],
      [builds * BUILD_PUTS, `${count(builds)} builds x ${BUILD_PUTS}`],
    ]),
    // A listing costs as much as a PUT.
    charge('S3: the bucket is listed', prices.s3Put, [
      [listings * pages, `${count(listings)} reconciliations x ${count(pages)} pages`],
    ]),
    charge('S3: builds read', prices.s3Get, [[builds * BUILD_GETS, `${count(builds)} builds x ${BUILD_GETS}`]]),
    charge('S3: what it holds', prices.s3Storage, [
      [isMade ? perDay * days : 0, `${count(perDay)} GB a day x ${count(days)} days`],
      [
        isMade ? ((refused * load.kilobytes) / 1e6 / DAYS) * days : 0,
        `${count((refused * load.kilobytes) / 1e6 / DAYS)} GB a day of refused copies`,
      ],
      [(builds * assumed.artifactMegabytes) / 1e3, `${count((builds * assumed.artifactMegabytes) / 1e3)} GB of builds`],
      [assumed.bootstrapGigabytes, `${count(assumed.bootstrapGigabytes)} GB of CDK's bucket`],
    ]),
  ]
}

/**
 * Days for which an object is kept. In a versioned bucket an expired one is only hidden, and goes with the noncurrent ones: that
 * is paid for, and easily overlooked.
 */
function daysHeld(
  { LifecycleConfiguration, VersioningConfiguration }: z.infer<typeof bucket>,
  prefix: string,
  otherwise: number,
) {
  const rules =
    LifecycleConfiguration?.Rules.filter((each) => each.Status === 'Enabled' && prefix.startsWith(each.Prefix ?? '')) ??
    []
  const days = Math.min(...rules.map(({ ExpirationInDays }) => ExpirationInDays ?? Number.POSITIVE_INFINITY))
  if (!Number.isFinite(days)) return otherwise
  if (VersioningConfiguration?.Status !== 'Enabled') return days
  return (
    days +
    Math.min(otherwise, ...rules.map(({ NoncurrentVersionExpiration: next }) => next?.NoncurrentDays ?? otherwise))
  )
}

/** Sends, receives and deletes, and the receives that wait for nothing: each is a request. */
export function queueLines({ template, load, traffic, assumed }: Estimate): BillLine[] {
  const { files, redelivered, batches } = traffic
  const mappings = countOf(template, 'AWS::Lambda::EventSourceMapping')
  const idle = mappings * assumed.pollers * ((HOURS * 3_600) / POLL_SECONDS)
  const sends = files + assumed.replayedFiles * Math.sign(files)
  const receives = (files + redelivered) / Math.min(assumed.messagesPerReceive, load.filesPerBatch)
  // The last call of a batch is half empty on average.
  const deletes = batches * (load.filesPerBatch / MESSAGES_PER_CALL + 0.5)
  const requests: [number, string][] = [
    [sends, `${count(sends)} sends`],
    [receives, `${count(receives)} receives`],
    [deletes, `${count(deletes)} deletes`],
    [idle, `${count(idle)} receives in vain by ${mappings} x ${assumed.pollers} pollers`],
  ]
  return [charge('SQS: requests', prices.sqsRequest, requests, FREE_REQUESTS)]
}
