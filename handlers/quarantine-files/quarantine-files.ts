/** Moves poison out of the way: a copy of the exact version, the reason beside it, then the ledger. */
import { CopyObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import pLimit from 'p-limit'
import { findFiles, type KnownFile, recordFiles } from '../../db/files.ts'
import type { QuarantineFilesOutcome } from '../contract.ts'
import type { WithDatabase } from '../database.ts'
import { errorFacts, isVersionMissing, QuarantineIncomplete } from '../errors.ts'
import { COPIES_IN_FLIGHT, COPY_BYTES_MAX } from '../limits.ts'
import { logger } from '../logger.ts'
import { countOf, emitMetrics } from '../metrics.ts'
import { copyKeyOf, reasonKeyOf } from '../quarantine-keys.ts'

export interface QuarantineDependencies {
  readonly s3: S3Client
  readonly withDatabase: WithDatabase
}

/**
 * Quarantines the files with these ids that are still poison. Harmless to repeat: the copy has the same key each time and
 * the ledger is written last, for each file that is done, whatever becomes of the others.
 *
 * @throws {QuarantineIncomplete} when some could not be copied or recorded; run again for them
 */
export async function quarantineFiles(
  { s3, withDatabase }: QuarantineDependencies,
  fileIds: readonly number[],
): Promise<QuarantineFilesOutcome> {
  const known = await withDatabase((database) => findFiles(database, fileIds))
  const poison = known.filter((file) => file.status === 'poison' && file.erasedAt === null)

  const limit = pLimit(COPIES_IN_FLIGHT)
  const copies = await Promise.allSettled(poison.map((file) => limit(() => copyFile(s3, file))))
  const done = copies.flatMap((copy) => (copy.status === 'fulfilled' ? [copy.value] : []))
  await withDatabase((database) => recordFiles(database, done))
  const withoutCopy = done.filter((file) => file.quarantineKey === null).length
  emitMetrics([countOf('FilesQuarantined', done.length), countOf('FilesWithoutCopy', withoutCopy)])

  const failed = copies.filter((copy) => copy.status === 'rejected')
  if (failed.length > 0) {
    logger.warn('copies failed', { failed: failed.length, first: errorFacts(failed[0]?.reason) })
    throw new QuarantineIncomplete(
      `${failed.length} of ${poison.length} files could not be copied; the others are done`,
    )
  }
  return {
    quarantined: done.length,
    withoutCopy,
    unchanged: fileIds.length - done.length,
  }
}

/** Copies one file and writes its reason beside it. A copy that can never be made is done without, and the ledger says why. */
async function copyFile(s3: S3Client, file: KnownFile) {
  const { id: fileId, erasedAt: _, ...record } = file
  const { bucket, key, versionId, source, reason } = record
  const quarantined = { ...record, status: 'quarantined' as const }
  const explanation = JSON.stringify({ fileId, bucket, key, versionId, source, reason }, null, 2)
  await s3.send(
    new PutObjectCommand({
      Bucket: bucket,
      Key: reasonKeyOf(file),
      Body: explanation,
      ContentType: 'application/json',
    }),
  )
  if (record.sizeBytes !== null && record.sizeBytes > COPY_BYTES_MAX) {
    return { ...quarantined, quarantineKey: null, quarantineNote: 'S3 copies no object of more than 5 GiB' }
  }
  try {
    await s3.send(
      new CopyObjectCommand({
        Bucket: bucket,
        Key: copyKeyOf(file),
        CopySource: `${bucket}/${encodeURIComponent(key)}?versionId=${encodeURIComponent(versionId)}`,
      }),
    )
    return { ...quarantined, quarantineKey: copyKeyOf(file) }
  } catch (error) {
    if (!isVersionMissing(error)) throw error
    return { ...quarantined, quarantineKey: null, quarantineNote: 'the version was deleted before it could be copied' }
  }
}
