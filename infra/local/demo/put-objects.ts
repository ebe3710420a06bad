/** Puts objects into the bucket, many at a time, as producers do. */
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import pLimit from 'p-limit'

export interface NewObject {
  readonly key: string
  readonly body: Uint8Array
}

/** Puts at the same time. Fewer leave the emulator idle; more only wait in the SDK's pool of 50 sockets. */
const PUTS_IN_FLIGHT = 32

/** @param onPut called after each object with the number put so far */
export async function putObjects(
  s3: S3Client,
  bucket: string,
  objects: readonly NewObject[],
  onPut: (count: number) => void,
): Promise<void> {
  let count = 0
  await pLimit(PUTS_IN_FLIGHT).map(objects, async ({ key, body }) => {
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }))
    onPut(++count)
  })
}
