/** Has every version of the bucket loaded that the ledger does not know: its event got lost, or it is older than Sluice. */
import type { SQSClient } from '@aws-sdk/client-sqs'
import { noteReconciled, openReconciliation } from '../../db/reconciliations.ts'
import type {
  BackfillTrial,
  Comparison,
  ListingPosition,
  ReconcileFilesOutcome,
  ReconcileRequest,
} from '../contract.ts'
import { LIST_TIME_MIN_MS, LISTED_FILES_SENT, MISSED_AFTER_MS } from '../limits.ts'
import { countOf, emitMetrics } from '../metrics.ts'
import { writeMessage } from '../s3-event.ts'
import { sendMessages } from '../send-messages.ts'
import { comparePage, type ListedBucket, NOTHING_COMPARED } from './compare-page.ts'

export interface ReconcileDependencies extends ListedBucket {
  readonly sqs: SQSClient
  readonly queueUrl: string
}

export interface TimeLeft {
  readonly now: Date
  /** Milliseconds. */
  readonly remaining: () => number
  /** Aborted shortly before the function's timeout. */
  readonly end: AbortSignal
}

/** Everything that can be loaded lies under it. */
const WHOLE = 'input/'

/**
 * Takes the next pages of the listing, as many as there is time for, and sends what is missing on them to be loaded. How far
 * it came is noted after each page, so that a crash in between sends one page twice, which the ledger knows how to take.
 *
 * @param execution its name: it has one reconciliation, however often this is called
 * @throws {MessagesNotSent} when SQS refused some; the page is taken again
 */
export async function reconcileNextPages(
  { sqs, queueUrl, ...dependencies }: ReconcileDependencies,
  execution: string,
  { prefix: asked = WHOLE, isBackfill = false, requestedBy, why }: ReconcileRequest,
  { now, remaining, end }: TimeLeft,
): Promise<ReconcileFilesOutcome> {
  const caller = { requestedBy: requestedBy ?? null, why: why ?? null }
  const opening = { executionName: execution, ...caller, isBackfill, prefix: asked }
  const opened = await dependencies.withDatabase((database) => openReconciliation(database, opening), end)
  const { id, prefix, listed, ignored, ignoredExamples, missing, missingExamples } = opened
  const before: Comparison = { listed, ignored, ignoredExamples, missing, missingExamples }
  let sums = before
  let next = positionOf(opened)
  let isDone = opened.endedAt !== null
  const countSent = () => sums.missing - before.missing
  try {
    for (let isFirst = true; !isDone && (isFirst || mayGoOn(remaining(), countSent())); isFirst = false) {
      const page = await comparePage(
        dependencies,
        { prefix, after: next, sums },
        isBackfill ? null : missedSince(now),
        end,
      )
      await sendMessages(
        sqs,
        queueUrl,
        page.missing.map((object) => writeMessage(object)),
      )
      const markers = { keyMarker: page.next?.keyMarker ?? null, versionIdMarker: page.next?.versionIdMarker ?? null }
      const progress = { ...page.sums, ...markers, isDone: page.next === null }
      await dependencies.withDatabase((database) => noteReconciled(database, id, progress), end)
      ;({ sums, next } = page)
      isDone = progress.isDone
    }
  } finally {
    // What a backfill finds was never expected, and alarms nobody.
    emitMetrics([
      countOf('VersionsListed', sums.listed - before.listed),
      ...(isBackfill ? [] : [countOf('FilesMissing', countSent())]),
    ])
  }
  return { reconciliationId: id, prefix, ...sums, isDone, isFull: countSent() >= LISTED_FILES_SENT }
}

/** Counts what a backfill would load on the next pages, as many as there is time for, and changes nothing. */
export async function tryNextPages(
  dependencies: ListedBucket,
  { prefix, after }: { readonly prefix: string; readonly after: ListingPosition | null },
  { remaining, end }: Omit<TimeLeft, 'now'>,
): Promise<BackfillTrial> {
  let sums = NOTHING_COMPARED
  let next = after
  do {
    ;({ sums, next } = await comparePage(dependencies, { prefix, after: next, sums }, null, end))
  } while (next !== null && remaining() > LIST_TIME_MIN_MS)
  return { ...sums, next }
}

const mayGoOn = (remaining: number, sent: number): boolean => remaining > LIST_TIME_MIN_MS && sent < LISTED_FILES_SENT

const missedSince = (now: Date): Date => new Date(now.getTime() - MISSED_AFTER_MS)

const positionOf = (row: { keyMarker: string | null; versionIdMarker: string | null }): ListingPosition | null =>
  row.keyMarker === null || row.versionIdMarker === null
    ? null
    : { keyMarker: row.keyMarker, versionIdMarker: row.versionIdMarker }
