/** The Lambda function behind the ingest queue. */
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { makeIngestDependencies } from './dependencies.ts'
import { ingestBatch } from './ingest-batch.ts'
import type { IngestDependencies } from './ingest-slice.ts'

let dependencies: IngestDependencies | undefined

export const handler = async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
  dependencies ??= makeIngestDependencies('sluice-ingest')
  return await ingestBatch(dependencies, event, context)
}
