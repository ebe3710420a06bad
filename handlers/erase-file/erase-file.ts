/** Removes for good what a key has held: from the bucket, from quarantine and from the database. */
import type { S3Client } from '@aws-sdk/client-s3'
import {
  beginErasure,
  completeErasure,
  countErasable,
  eraseFromDatabase,
  type FileOfKey,
  listFilesOfKey,
} from '../../db/erasures.ts'
import type { WithDatabase } from '../database.ts'
import { ErasureIncomplete, errorFacts } from '../errors.ts'
import { logger } from '../logger.ts'
import { countOf, emitMetrics } from '../metrics.ts'
import { copyPrefixOf } from '../quarantine-keys.ts'
import { spellingsOf } from '../s3-event.ts'
import { findSource } from '../sources/registry.ts'
import type { ErasureOutcome, ErasurePreview } from './contract.ts'
import { type BucketVersion, deleteVersions, listVersionsUnder } from './versions.ts'

export interface ErasureDependencies {
  readonly s3: S3Client
  readonly withDatabase: WithDatabase
  /** The landing bucket. */
  readonly bucket: string
}

/** Counts what an erasure would remove, and changes nothing. */
export async function previewErasure(dependencies: ErasureDependencies, key: string): Promise<ErasurePreview> {
  const { withDatabase, bucket } = dependencies
  const known = await withDatabase((database) => listFilesOfKey(database, { bucket, key }))
  const counted = await withDatabase((database) => countErasable(database, { bucket, key }, spellingsOf(key)))
  const versions = await listVersionsOf(dependencies, key)
  const copies = await listCopiesOf(dependencies, known)
  return { bucket, versions: versions.length, copies: copies.length, ...counted }
}

/**
 * Erases a key. The audit comes first and is completed last. The ledger is marked before the bucket is emptied: from then on
 * nobody can write a version that he has read before. Cut short anywhere, it is run again and goes on with what is left.
 *
 * @throws {ErasureIncomplete} when S3 or the database failed on the way
 */
export async function eraseFile(
  dependencies: ErasureDependencies,
  { key, requestedBy, why }: { key: string; requestedBy: string; why: string },
): Promise<ErasureOutcome> {
  const { s3, withDatabase, bucket } = dependencies
  const object = { bucket, key }
  try {
    const erasureId = await withDatabase((database) => beginErasure(database, { ...object, requestedBy, why }))
    const versions = await listVersionsOf(dependencies, key)
    const before = await withDatabase((database) => listFilesOfKey(database, object))
    const erased = await withDatabase((database) =>
      eraseFromDatabase(database, object, {
        source: findSource(key)?.name ?? null,
        versions: versions.filter(({ isMarker }) => !isMarker),
        spellings: spellingsOf(key),
      }),
    )
    await deleteVersions(s3, bucket, versions)
    const copies = await listCopiesOf(dependencies, await withDatabase((database) => listFilesOfKey(database, object)))
    await deleteVersions(s3, bucket, copies)

    const counts = { versions: versions.length, copies: copies.length, ...erased }
    const cameIn = await countNew(dependencies, key)
    await withDatabase((database) => completeErasure(database, object, erasureId, counts))
    emitMetrics([countOf('FilesErased', counts.files)])
    const copiesPending = before.filter(({ status, isErased }) => status === 'poison' && !isErased).length
    return { erasureId, bucket, ...counts, cameIn, copiesPending }
  } catch (error) {
    const { error: name, code = '' } = errorFacts(error)
    logger.error('erasure cut short', errorFacts(error))
    throw new ErasureIncomplete(`${name} ${code}`.trim())
  }
}

/** Versions in the bucket now, and in the ledger without the mark, whichever are more: they came in meanwhile. */
async function countNew(dependencies: ErasureDependencies, key: string): Promise<number> {
  const { withDatabase, bucket } = dependencies
  const inBucket = (await listVersionsOf(dependencies, key)).filter(({ isMarker }) => !isMarker)
  const known = await withDatabase((database) => listFilesOfKey(database, { bucket, key }))
  return Math.max(inBucket.length, known.filter(({ isErased }) => !isErased).length)
}

const listVersionsOf = async ({ s3, bucket }: ErasureDependencies, key: string): Promise<BucketVersion[]> =>
  // Others begin with it, too.
  (await listVersionsUnder(s3, bucket, key)).filter((version) => version.key === key)

/** By what the ledger says, and by where a copy would be of which it does not know yet. */
async function listCopiesOf(
  { s3, bucket }: ErasureDependencies,
  known: readonly FileOfKey[],
): Promise<BucketVersion[]> {
  const prefixes = known.flatMap((file) => [
    copyPrefixOf(file),
    ...(file.quarantineKey === null ? [] : [file.quarantineKey.slice(0, -'json'.length)]),
  ])
  const copies: BucketVersion[] = []
  for (const prefix of new Set(prefixes)) copies.push(...(await listVersionsUnder(s3, bucket, prefix)))
  return copies
}
