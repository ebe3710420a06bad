/** The Lambda function behind the Task *LoadFile*. */
import type { Context } from 'aws-lambda'
import { type LoadFileOutcome, loadFileInput } from '../contract.ts'
import { makeIngestDependencies } from '../ingest/dependencies.ts'
import { type IngestDependencies, startInvocation } from '../ingest/ingest-slice.ts'
import { loadFile } from './load-file.ts'

let dependencies: IngestDependencies | undefined

export const handler = async (input: unknown, context: Context): Promise<LoadFileOutcome> => {
  const { fileId } = loadFileInput.parse(input)
  dependencies ??= makeIngestDependencies('sluice-load-file')
  return await loadFile(dependencies, fileId, startInvocation(context))
}
