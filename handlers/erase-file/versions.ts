/** Everything that a versioned bucket holds under a key: versions and delete markers. */
import { DeleteObjectCommand, ListObjectVersionsCommand, type S3Client } from '@aws-sdk/client-s3'
import pLimit from 'p-limit'
import { DELETES_IN_FLIGHT } from '../limits.ts'

export interface BucketVersion {
  readonly key: string
  readonly versionId: string
  /** A delete marker holds nothing, and hides what is below. */
  readonly isMarker: boolean
  readonly sizeBytes: number | null
  readonly lastModifiedAt: Date | null
}

/** What the bucket holds under keys that begin so. */
export async function listVersionsUnder(s3: S3Client, bucket: string, prefix: string): Promise<BucketVersion[]> {
  const found: BucketVersion[] = []
  let next: { KeyMarker: string | undefined; VersionIdMarker: string | undefined } | undefined
  do {
    const {
      Versions = [],
      DeleteMarkers = [],
      ...page
    } = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: prefix, ...next }))
    next = page.IsTruncated ? { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker } : undefined
    for (const { Key = '', VersionId = 'null', Size = null, LastModified = null } of Versions) {
      found.push({ key: Key, versionId: VersionId, isMarker: false, sizeBytes: Size, lastModifiedAt: LastModified })
    }
    for (const { Key = '', VersionId = 'null', LastModified = null } of DeleteMarkers) {
      found.push({ key: Key, versionId: VersionId, isMarker: true, sizeBytes: null, lastModifiedAt: LastModified })
    }
  } while (next !== undefined)
  return found
}

/** Deletes exactly these versions, for good. Harmless for those that are gone. One by one: a key has few. */
export async function deleteVersions(s3: S3Client, bucket: string, versions: readonly BucketVersion[]): Promise<void> {
  const limit = pLimit(DELETES_IN_FLIGHT)
  await Promise.all(
    versions.map(({ key, versionId }) =>
      limit(() => s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId }))),
    ),
  )
}
