/** Vitest global setup: one emulator of AWS, with nothing deployed, for tests that need S3, Secrets Manager, Step Functions. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { startEmulator } from '../../infra/local/emulator.ts'

declare module 'vitest' {
  interface ProvidedContext {
    awsEndpoint: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-test-'))
  const { endpoint, stop } = await startEmulator({
    directory,
    // A wait of a minute between the tries of a Task takes a second.
    waitScale: 0.02,
  })
  project.provide('awsEndpoint', endpoint)
  return async () => {
    await stop()
    rmSync(directory, { recursive: true, force: true })
  }
}
