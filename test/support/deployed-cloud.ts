/** Vitest global setup: a laptop cloud with the real stack deployed to it, its waits shortened by stage context. */
import { sql } from 'drizzle-orm'
import type { TestProject } from 'vitest/node'
import { openDatabase } from '../../db/client.ts'
import { transformLease } from '../../db/schema.ts'
import { type Cloud, startCloud } from '../../infra/local/cloud.ts'
import { databaseParameters, databaseSecret } from '../../infra/local/demo/deployment.ts'
import { deployStack } from '../../infra/local/deploy.ts'

declare module 'vitest' {
  interface ProvidedContext {
    cloud: Pick<Cloud, 'endpoint' | 'database' | 'directory'>
    stackOutputs: Record<string, string>
  }
}

/** The first batch would run dbt beside all tests. Those that are about it give the lease free. */
async function holdTransform(cloud: Cloud): Promise<void> {
  const database = openDatabase(databaseSecret(cloud), 'test-setup')
  await database.update(transformLease).set({ heldBy: 'the tests', heldUntil: sql`'infinity'` })
  await database.$client.end()
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cloud = await startCloud({
    name: 'e2e',
    // A wait of a minute between the tries of a Task takes a second, and so does a minute of metrics and alarms.
    waitScale: 0.02,
    cloudwatchMinuteSeconds: 1,
    // What a role may not do on AWS fails here too, and least-privilege.test.ts reads what each of them did.
    recordsCalls: true,
  })
  try {
    const stackOutputs = await deployStack(cloud, {
      context: { batchingWindowSeconds: '1' },
      parameters: databaseParameters(cloud),
    })
    await holdTransform(cloud)
    project.provide('cloud', { endpoint: cloud.endpoint, database: cloud.database, directory: cloud.directory })
    project.provide('stackOutputs', stackOutputs)
  } catch (error) {
    await cloud.stop()
    throw error
  }
  return () => cloud.stop()
}
