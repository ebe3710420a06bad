/** Puts objects into the bucket, many at a time, as producers do. */
import { DeleteObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import pLimit from 'p-limit'

export interface NewObject {
  readonly key: string
  readonly body: Uint8Array
}

/** Puts at the same time. Fewer leave the emulator idle; more only wait in the SDK's pool of 50 sockets. */
const PUTS_IN_FLIGHT = 32

/**
 * Puts objects in no particular order.
 *
 * @param isShortLived whether an object is deleted, for good, right after its put
 * @param onPut called after each object with the version that S3 made of it
 */
export async function putObjects<Item extends NewObject>(
  { s3, bucket }: { s3: S3Client; bucket: string },
  objects: readonly Item[],
  isShortLived: (object: Item) => boolean,
  onPut: (object: Item, versionId: string) => void,
): Promise<void> {
  await pLimit(PUTS_IN_FLIGHT).map(objects, async (object) => {
    const { key: Key, body: Body } = object
    const { VersionId = '' } = await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body }))
    if (isShortLived(object)) await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key, VersionId }))
    onPut(object, VersionId)
  })
}
