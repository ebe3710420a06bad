/** Holds a page of the bucket's listing against the ledger. */
import type { S3Client } from '@aws-sdk/client-s3'
import { findKnownVersions } from '../../db/attempts.ts'
import { identityOf } from '../../db/files.ts'
import type { Comparison, ListingPosition } from '../contract.ts'
import type { WithDatabase } from '../database.ts'
import { EXAMPLES_KEPT } from '../limits.ts'
import type { CreatedObject } from '../s3-event.ts'
import { listVersions } from './list-versions.ts'

export interface ListedBucket {
  readonly s3: S3Client
  /** The landing bucket. */
  readonly bucket: string
  readonly withDatabase: WithDatabase
}

export interface ComparedPage {
  /** Of all pages so far. */
  readonly sums: Comparison
  /** The versions of this page that the ledger has no row of. */
  readonly missing: readonly CreatedObject[]
  /** Null after the last page. */
  readonly next: ListingPosition | null
}

export const NOTHING_COMPARED: Comparison = {
  ...{ listed: 0, ignored: 0, ignoredExamples: [] },
  ...{ missing: 0, missingExamples: [] },
}

/**
 * Takes the page after a position, and adds it to the sums of those before.
 *
 * @param putBefore what was put later is not missed yet: its message may be under way. Null: everything is
 */
export async function comparePage(
  { withDatabase, s3, bucket }: ListedBucket,
  { prefix, after, sums }: { prefix: string; after: ListingPosition | null; sums: Comparison },
  putBefore: Date | null,
  end: AbortSignal,
): Promise<ComparedPage> {
  const { objects, ignored, next } = await listVersions({ s3, bucket, prefix }, after, end)
  const expected = objects.filter(({ eventAt }) => putBefore === null || eventAt < putBefore)
  const known = await withDatabase((database) => findKnownVersions(database, expected), end)
  const missing = expected.filter((object) => !known.has(identityOf(object)))
  const keys = missing.map(({ key }) => key)
  return {
    sums: {
      listed: sums.listed + objects.length + ignored.length,
      ignored: sums.ignored + ignored.length,
      ignoredExamples: addExamples(sums.ignoredExamples, ignored),
      missing: sums.missing + missing.length,
      missingExamples: addExamples(sums.missingExamples, keys),
    },
    missing,
    next,
  }
}

/** Each key once: many versions of one key tell nothing more. */
const addExamples = (known: readonly string[], found: readonly string[]): string[] =>
  [...new Set([...known, ...found])].slice(0, EXAMPLES_KEPT)
