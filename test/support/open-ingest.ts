/** The ingest function with a bucket and a ledger of its own, for tests that look at what becomes of files. */
import { asc } from 'drizzle-orm'
import { files } from '../../db/schema.ts'
import { ingestBatch } from '../../handlers/ingest/ingest-batch.ts'
import type { IngestDependencies } from '../../handlers/ingest/ingest-slice.ts'
import { awsClients, createStateMachine, createVersionedBucket, putObject } from './aws.ts'
import { createDatabase } from './database.ts'
import { ingestDependencies } from './ingest.ts'
import { lambdaContext, s3Message, sqsEvent } from './s3-events.ts'

export type OpenIngest = Awaited<ReturnType<typeof openIngest>>

/** Everything of it ends with `await using`. */
export async function openIngest() {
  const clients = awsClients()
  const { s3, secrets, sfn } = clients
  const ledger = await createDatabase()
  const bucket = await createVersionedBucket(s3)
  const dependencies = await ingestDependencies(clients, ledger, await createStateMachine(sfn))

  /** Ingests messages with these bodies. */
  const ingestBodies = (bodies: readonly string[], changed: Partial<IngestDependencies> = {}) =>
    ingestBatch({ ...dependencies, ...changed }, sqsEvent(...bodies), lambdaContext())

  return {
    ...{ s3, secrets, bucket, ledger },
    database: ledger.database,
    dependencies,
    ingestBodies,
    /** Puts an object. Returns the record of its event. */
    put: (key: string, body: string | Uint8Array) => putObject(s3, bucket, key, body),
    /** Ingests these records, a message each. */
    ingest: (...records: object[]) => ingestBodies(records.map((record) => s3Message(record))),
    /** The ledger, in the order of its ids. */
    ledgerRows: () => ledger.database.select().from(files).orderBy(asc(files.id)),
    [Symbol.asyncDispose]: async () => {
      for (const client of [s3, secrets, sfn]) client.destroy()
      await ledger[Symbol.asyncDispose]()
    },
  }
}
