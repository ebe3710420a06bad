/** What the bucket itself says of an object. */
import { HeadObjectCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3'

export type InBucket =
  | { readonly is: 'there'; readonly versionId: string | null; readonly putAt: Date | null }
  /** No object of this key now; deleted, or never put. */
  | { readonly is: 'absent' }
  /** Whoever asks may not read the bucket. */
  | { readonly is: 'unknown' }

/** The newest version of an object. */
export async function findObject(s3: S3Client, bucket: string, key: string): Promise<InBucket> {
  try {
    const { VersionId = null, LastModified = null } = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }))
    return { is: 'there', versionId: VersionId, putAt: LastModified }
  } catch (error) {
    if (!(error instanceof S3ServiceException)) throw error
    if (error.$metadata.httpStatusCode === 404) return { is: 'absent' }
    if (error.$metadata.httpStatusCode === 403) return { is: 'unknown' }
    throw error
  }
}
