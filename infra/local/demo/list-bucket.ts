/** What lies in the bucket, asked of S3 alone. */
import { ListObjectVersionsCommand, type ListObjectVersionsCommandOutput } from '@aws-sdk/client-s3'
import type { Deployment } from './deployment.ts'

export interface ObjectVersion {
  readonly key: string
  readonly versionId: string
}

/** Lists every version of every object. */
export async function listBucket({ s3, bucket }: Deployment): Promise<ObjectVersion[]> {
  const versions: ObjectVersion[] = []
  let position: { KeyMarker?: string; VersionIdMarker?: string } | undefined = {}
  while (position !== undefined) {
    const page: ListObjectVersionsCommandOutput = await s3.send(
      new ListObjectVersionsCommand({ Bucket: bucket, ...position }),
    )
    for (const { Key = '', VersionId = '' } of page.Versions ?? []) versions.push({ key: Key, versionId: VersionId })
    const { IsTruncated, NextKeyMarker = '', NextVersionIdMarker = '' } = page
    position = IsTruncated ? { KeyMarker: NextKeyMarker, VersionIdMarker: NextVersionIdMarker } : undefined
  }
  return versions
}
