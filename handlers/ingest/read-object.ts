/** Reads one object version from S3. */
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { IncompleteBody, isVersionMissing } from '../errors.ts'
import { OBJECT_BYTES_MAX, OBJECT_READ_TIMEOUT_MS } from '../limits.ts'

export type ReadObject =
  | { readonly outcome: 'read'; readonly bytes: Uint8Array; readonly lastModifiedAt: Date | null }
  /** Larger than any file may be; the body was not read. */
  | { readonly outcome: 'too-large'; readonly sizeBytes: number }
  /** This version does not exist any more. */
  | { readonly outcome: 'vanished' }

/**
 * GETs exactly the version that the event names: the key alone may have a newer one by now. Only a quarantined copy, of
 * which there is one, is read by its key.
 *
 * @throws {IncompleteBody} when the body is shorter than its Content-Length
 * @throws S3's error for everything but a 404 of the version; a 403 in particular is never taken for `vanished`
 */
export async function readObject(
  s3: S3Client,
  { bucket, key, versionId }: { bucket: string; key: string; versionId?: string },
  end: AbortSignal,
): Promise<ReadObject> {
  const deadline = AbortSignal.any([end, AbortSignal.timeout(OBJECT_READ_TIMEOUT_MS)])
  const command = new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId })
  const response = await s3.send(command, { abortSignal: deadline }).catch((error: unknown) => {
    if (isVersionMissing(error)) return undefined
    throw error
  })
  if (response === undefined) return { outcome: 'vanished' }
  const expected = response.ContentLength
  if (response.Body === undefined || expected === undefined) throw new IncompleteBody('S3 answered without a body')
  if (expected > OBJECT_BYTES_MAX) {
    await response.Body.transformToWebStream().cancel()
    return { outcome: 'too-large', sizeBytes: expected }
  }
  const bytes = await response.Body.transformToByteArray()
  if (bytes.byteLength !== expected) {
    throw new IncompleteBody(`S3 announced ${expected} bytes and sent ${bytes.byteLength}`)
  }
  return { outcome: 'read', bytes, lastModifiedAt: response.LastModified ?? null }
}
