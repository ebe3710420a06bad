/** Loads one dead letter, alone, just as the ingest function loads a file that came back. */
import { findKnownVersions } from '../../db/attempts.ts'
import { findFiles, identityOf } from '../../db/files.ts'
import type { LoadFileOutcome } from '../contract.ts'
import { errorFacts, InvalidInput, LoadFailed } from '../errors.ts'
import { type IngestDependencies, type Invocation, ingestSlice } from '../ingest/ingest-slice.ts'
import { measureFiles } from '../ingest/measure.ts'
import { ATTEMPTS_MAX } from '../limits.ts'
import { emitMetrics } from '../metrics.ts'

/**
 * Loads or refuses a file of the ledger. One that is settled is left alone; one whose attempts never ended too often is
 * refused untouched.
 *
 * @throws {LoadFailed} when S3 or the database failed: the file is as it was
 * @throws {InvalidInput} when the ledger has no such file
 */
export async function loadFile(
  dependencies: IngestDependencies,
  fileId: number,
  invocation: Invocation,
): Promise<LoadFileOutcome> {
  const { attempts, withDatabase } = dependencies
  const look = async () => {
    const [file] = await withDatabase((database) => findFiles(database, [fileId]), invocation.end)
    if (file === undefined) throw new InvalidInput(`the ledger has no file ${fileId}`)
    return file
  }
  try {
    // Or an attempt that ended while the database was down would count as a crash.
    await attempts.catchUp(invocation.end)
    const file = await look()
    const known = await withDatabase((database) => findKnownVersions(database, [file]), invocation.end)
    const { isSettled = false, openAttempts = 0 } = known.get(identityOf(file)) ?? {}
    if (isSettled) return { fileId, outcome: file.status }

    const { bucket, key, versionId, sequencer, sizeBytes, eventAt } = file
    const objects = [{ bucket, key, versionId, sequencer, sizeBytes, eventAt }]
    const kind = openAttempts >= ATTEMPTS_MAX ? 'crashed' : 'alone'
    const { versions, outcomes } = await ingestSlice(dependencies, { kind, objects, messages: [] }, invocation)
    emitMetrics(measureFiles(outcomes))
    if (versions.length === 0) throw new LoadFailed(`file ${fileId} could not be read`)
    return { fileId, outcome: (await look()).status }
  } catch (error) {
    if (error instanceof LoadFailed || error instanceof InvalidInput) throw error
    const { error: name, code = '' } = errorFacts(error)
    throw new LoadFailed(`file ${fileId}: ${name} ${code}`.trim())
  }
}
