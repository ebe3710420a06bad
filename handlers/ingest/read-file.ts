/** Phase one of a slice: from an object version to what is to be written about it. */
import type { S3Client } from '@aws-sdk/client-s3'
import type { LimitFunction } from 'p-limit'
import { OBJECT_BYTES_MAX } from '../limits.ts'
import type { CreatedObject } from '../s3-event.ts'
import { findSource, sources } from '../sources/registry.ts'
import type { Source } from '../sources/source.ts'
import { judgeCrashed, judgeDocument, judgeEmpty, judgeTooLarge, judgeUnclaimed, type Verdict } from './judge.ts'
import { type ReadObject, readObject } from './read-object.ts'

/** An object version and what is to be written about it. */
export interface ReadFile {
  readonly object: CreatedObject
  readonly source: Source | undefined
  readonly lastModifiedAt: Date | null
  readonly verdict: Verdict | { readonly status: 'vanished' }
}

export interface ObjectReader {
  readonly s3: S3Client
  /** Bounds the GETs that run at once. */
  readonly limit: LimitFunction
}

/**
 * Reads and judges one object version. What its key or its size condemns is judged without being read.
 *
 * @param end aborts the read when the invocation has no more time
 * @throws whatever S3 throws: only then does the version come again
 */
export async function readFile(
  { s3, limit }: ObjectReader,
  object: CreatedObject,
  end: AbortSignal,
): Promise<ReadFile> {
  const source = findSource(object.key)
  const judged = (verdict: ReadFile['verdict'], lastModifiedAt: Date | null = null): ReadFile => ({
    object,
    source,
    lastModifiedAt,
    verdict,
  })
  if (source === undefined) return judged(judgeUnclaimed(sources.map(({ prefix }) => prefix)))
  if (object.sizeBytes === 0) return judged(judgeEmpty(source))
  if (object.sizeBytes !== null && object.sizeBytes > OBJECT_BYTES_MAX) {
    return judged(judgeTooLarge(source, object.sizeBytes))
  }

  const read = await limit(() => readVersionOrCopy(s3, object, end))
  switch (read.outcome) {
    case 'vanished':
      return judged({ status: 'vanished' })
    case 'too-large':
      return judged(judgeTooLarge(source, read.sizeBytes))
    case 'read':
      return judged(judgeDocument(source, read.bytes), read.lastModifiedAt)
  }
}

/** The version itself or, when it is gone and a replay knows where one lies, its quarantined copy. */
async function readVersionOrCopy(s3: S3Client, object: CreatedObject, end: AbortSignal): Promise<ReadObject> {
  const read = await readObject(s3, object, end)
  const copyKey = object.replay?.copyKey
  if (read.outcome !== 'vanished' || copyKey === undefined || copyKey === null) return read
  const copy = await readObject(s3, { bucket: object.bucket, key: copyKey }, end)
  // When the copy was made says nothing of when the version was.
  return copy.outcome === 'read' ? { ...copy, lastModifiedAt: null } : copy
}

/** What is written about a version that ended the process too often: nobody touches it again. */
export function condemnCrashed(object: CreatedObject): ReadFile {
  return { object, source: findSource(object.key), lastModifiedAt: null, verdict: judgeCrashed() }
}
