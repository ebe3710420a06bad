/** Vitest global setup: a laptop cloud with the real stack deployed to it, its waits shortened by stage context. */
import type { TestProject } from 'vitest/node'
import { type Cloud, startCloud } from '../../infra/local/cloud.ts'
import { databaseSecret } from '../../infra/local/demo/deployment.ts'
import { deployStack } from '../../infra/local/deploy.ts'

declare module 'vitest' {
  interface ProvidedContext {
    cloud: Pick<Cloud, 'endpoint' | 'database'>
    stackOutputs: Record<string, string>
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cloud = await startCloud({
    name: 'e2e',
    // A wait of a minute between the tries of a Task takes a second, and so does a minute of metrics and alarms.
    waitScale: 0.02,
    cloudwatchMinuteSeconds: 1,
  })
  try {
    const stackOutputs = await deployStack(cloud, {
      context: { batchingWindowSeconds: '1' },
      parameters: { LocalDatabaseSecret: JSON.stringify(databaseSecret(cloud)) },
    })
    project.provide('cloud', { endpoint: cloud.endpoint, database: cloud.database })
    project.provide('stackOutputs', stackOutputs)
  } catch (error) {
    await cloud.stop()
    throw error
  }
  return () => cloud.stop()
}
