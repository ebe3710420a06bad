/** Lists the object versions of a bucket, a page at a time. */
import { ListObjectVersionsCommand, type ObjectVersion, type S3Client } from '@aws-sdk/client-s3'
import type { ListingPosition } from '../contract.ts'
import type { CreatedObject } from '../s3-event.ts'

/** One page of a listing: 1,000 versions and delete markers at most, by key, of each key the newest first. */
export interface ListedPage {
  /** What an event would have said of the versions, but for the sequencer, which no listing tells. */
  readonly objects: readonly (CreatedObject & { readonly eventAt: Date })[]
  /** Keys, or what S3 wrote in their place, of versions that Sluice would not load, one for each. */
  readonly ignored: readonly string[]
  /** Null after the last page. */
  readonly next: ListingPosition | null
}

export interface Listing {
  readonly s3: S3Client
  readonly bucket: string
  readonly prefix: string
}

/**
 * @param after where the page before ended; null at the start
 * @throws whatever S3 throws
 */
export async function listVersions(
  { s3, bucket, prefix }: Listing,
  after: ListingPosition | null,
  end: AbortSignal,
): Promise<ListedPage> {
  const page = await s3.send(
    new ListObjectVersionsCommand({
      Bucket: bucket,
      Prefix: prefix,
      // Or a key with a character that XML cannot hold would make its page unreadable for ever.
      EncodingType: 'url',
      ...(after && { KeyMarker: decodeURIComponent(after.keyMarker), VersionIdMarker: after.versionIdMarker }),
    }),
    { abortSignal: end },
  )
  const decode = (text: string) => (page.EncodingType === 'url' ? decodeForm(text) : text)
  const named = (page.Versions ?? []).map((version) => ({ version, key: decode(version.Key ?? '') }))
  const loadable = named.filter(({ key }) => isLoadable(key))
  return {
    objects: toObjects(bucket, loadable, page.IsTruncated === true),
    ignored: named.flatMap(({ key, version }) => (isLoadable(key) ? [] : [version.Key ?? ''])),
    next: page.IsTruncated
      ? {
          keyMarker: encodeURIComponent(decode(page.NextKeyMarker ?? '')),
          versionIdMarker: page.NextVersionIdMarker ?? '',
        }
      : null,
  }
}

/** As in an HTML form: a space is a plus sign. */
const decodeForm = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '))

/** As the bucket's filter has it. Folder markers end in a slash. No event with a NUL could be kept in the ledger either. */
const isLoadable = (key: string): boolean => key.endsWith('.json') && !key.includes('\0')

/**
 * S3 tells when a version was put by the second only. Those of one key and second are listed with the newest first: each is
 * said to be a millisecond younger than the one listed after it, or their order would be lost.
 *
 * @param isCut whether more pages follow: older versions of the last key and second may be on the next, and are given half of
 *   the second
 */
function toObjects(bucket: string, versions: readonly { version: ObjectVersion; key: string }[], isCut: boolean) {
  const objects: (CreatedObject & { readonly eventAt: Date })[] = []
  let older: { key: string; second: number } | undefined
  let place = 0
  for (const { version, key } of versions.toReversed()) {
    const { VersionId: versionId = 'null', Size: sizeBytes = null, LastModified } = version
    if (LastModified === undefined) throw new Error('S3 listed a version without its LastModified')
    const second = Math.floor(LastModified.getTime() / 1_000)
    if (older === undefined) place = isCut ? 500 : 0
    else place = key === older.key && second === older.second ? Math.min(place + 1, 999) : 0
    objects.push({ bucket, key, versionId, sequencer: null, sizeBytes, eventAt: new Date(second * 1_000 + place) })
    older = { key, second }
  }
  return objects.reverse()
}
