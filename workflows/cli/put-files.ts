/** Puts files into the bucket, many at a time. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import pLimit from 'p-limit'
import { type Failure, whyOf } from './find-json-files.ts'

/** Puts at the same time. Fewer leave the network idle; each holds its file in memory, up to 32 MiB that are loaded. */
const PUTS_IN_FLIGHT = 16

export interface PutOutcome {
  readonly put: number
  readonly failures: readonly Failure[]
}

/**
 * Puts each file under the prefix and its path within the folder. One that cannot be read or put costs no other.
 *
 * @param end stops it: puts under way are finished, no other begins
 */
export async function putFiles(
  s3: S3Client,
  what: { bucket: string; prefix: string; folder: string; files: readonly string[] },
  end: AbortSignal,
  onDone: (count: number) => void,
): Promise<PutOutcome> {
  const { bucket, prefix, folder, files } = what
  const failures: Failure[] = []
  let put = 0
  await pLimit(PUTS_IN_FLIGHT).map(files, async (path) => {
    if (end.aborted) return
    try {
      const body = await readFile(join(folder, path))
      const object = { Bucket: bucket, Key: `${prefix}${path}`, Body: body, ContentType: 'application/json' }
      await s3.send(new PutObjectCommand(object))
      put++
    } catch (error) {
      failures.push({ path, why: whyOf(error) })
    }
    onDone(put + failures.length)
  })
  return { put, failures }
}
