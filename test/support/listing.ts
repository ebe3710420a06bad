/** S3's listing of versions without a bucket: of more versions than a test can put, or with names that the emulator cannot write. */
import type { ListObjectVersionsCommand, ListObjectVersionsOutput, ObjectVersion, S3Client } from '@aws-sdk/client-s3'

/** A client that lists these versions in pages, as S3 does with URL-encoded keys. Calls `before` ahead of each page. */
export function listing(
  versions: readonly ObjectVersion[],
  pageSize = 1_000,
  before = (_page: number) => {},
): S3Client {
  let pages = 0
  const send = async ({ input }: ListObjectVersionsCommand): Promise<ListObjectVersionsOutput> => {
    before(++pages)
    const { KeyMarker, VersionIdMarker } = input
    const last = versions.findIndex(({ Key, VersionId }) => Key === KeyMarker && VersionId === VersionIdMarker)
    const page = versions.slice(last + 1, last + 1 + pageSize)
    const isTruncated = last + 1 + pageSize < versions.length
    return {
      EncodingType: 'url',
      Versions: page.map((version) => ({ ...version, Key: encodeForm(version.Key ?? '') })),
      IsTruncated: isTruncated,
      ...(isTruncated && {
        NextKeyMarker: encodeForm(page.at(-1)?.Key ?? ''),
        NextVersionIdMarker: page.at(-1)?.VersionId,
      }),
    }
  }
  return { send } as unknown as S3Client
}

const encodeForm = (key: string): string => encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+')
