/** The function that erases, with a bucket and a ledger that others work on at the same time. */
import { ListObjectVersionsCommand } from '@aws-sdk/client-s3'
import { asc } from 'drizzle-orm'
import { currentFiles, documents, erasures } from '../../db/schema.ts'
import { databaseFromSecret, type WithDatabase } from '../../handlers/database.ts'
import { type ErasureDependencies, eraseFile, previewErasure } from '../../handlers/erase-file/erase-file.ts'
import { quarantineFiles } from '../../handlers/quarantine-files/quarantine-files.ts'
import { databaseEnvironment } from './aws.ts'
import { openIngest } from './open-ingest.ts'

export const WHO = { requestedBy: 'arn:aws:iam::000000000000:user/ann', why: 'request 4711' }

/** Everything of it ends with `await using`. */
export async function openErasure() {
  const ingest = await openIngest()
  const { s3, secrets, bucket, ledger, database } = ingest
  const withRole = async (role: 'erasure' | 'maintenance'): Promise<WithDatabase> =>
    databaseFromSecret(secrets, await databaseEnvironment(secrets, ledger.credentialsOf(role)), `test-${role}`)
  const dependencies: ErasureDependencies = { s3, bucket, withDatabase: await withRole('erasure') }
  const maintenance = await withRole('maintenance')
  return {
    ...ingest,
    maintenance,
    erase: (key: string, changed: Partial<ErasureDependencies> = {}) =>
      eraseFile({ ...dependencies, ...changed }, { key, ...WHO }),
    preview: (key: string) => previewErasure(dependencies, key),
    quarantine: (...ids: number[]) => quarantineFiles({ s3, withDatabase: maintenance }, ids),
    /** Keys of all versions and markers in the bucket, each as often as it is there. */
    keysInBucket: async () => {
      const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket }))
      return [...Versions, ...DeleteMarkers].map(({ Key = '' }) => Key).sort()
    },
    /** State of each version of the ledger, in the order of ids. */
    states: async () =>
      (await database.select().from(currentFiles).orderBy(asc(currentFiles.id))).map(({ state }) => state),
    documentIds: async () => (await database.select().from(documents)).map(({ fileId }) => fileId).sort(),
    audit: () => database.select().from(erasures).orderBy(asc(erasures.id)),
  }
}
