import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** It reads what all the others of its project had the roles do. */
const LAST = /least-privilege\.test\.ts$/

class LastThingsLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return sorted.toSorted((a, b) => Number(LAST.test(a.moduleId)) - Number(LAST.test(b.moduleId)))
  }
}

/** Handlers that run in the test's own process print neither logs nor metrics. */
const QUIET = { POWERTOOLS_LOG_LEVEL: 'SILENT', POWERTOOLS_METRICS_DISABLED: 'true' }

export default defineConfig({
  test: {
    sequence: { sequencer: LastThingsLast },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/{handlers,workflows,db,compat}/**/*.unit.test.ts'],
          env: QUIET,
        },
      },
      {
        test: {
          name: 'database',
          include: ['test/db/**/*.database.test.ts'],
          globalSetup: ['test/support/database-server.ts'],
          hookTimeout: 60_000,
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'handlers',
          include: ['test/{handlers,workflows}/**/*.emulator.test.ts'],
          globalSetup: ['test/support/database-server.ts', 'test/support/emulator-server.ts'],
          env: QUIET,
          hookTimeout: 60_000,
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'model',
          include: ['test/model/**/*.model.test.ts'],
          globalSetup: ['test/support/database-server.ts'],
          env: QUIET,
          hookTimeout: 60_000,
          testTimeout: 240_000,
        },
      },
      {
        test: {
          name: 'local-cloud',
          include: ['test/local-cloud/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/support/deployed-cloud.ts'],
          // All of them ask one cloud what is in it.
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'slow',
          include: ['test/slow/**/*.test.ts'],
          env: QUIET,
          globalSetup: ['test/support/database-server.ts', 'test/support/emulator-server.ts'],
          testTimeout: 600_000,
          hookTimeout: 120_000,
        },
      },
      { test: { name: 'dbt', include: ['test/dbt/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 120_000 } },
      { test: { name: 'infra', include: ['test/infra/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 } },
    ],
  },
})
