import { expect, test } from 'vitest'
import { PUT_TO_COMMIT_P99_MAX_SECONDS } from '../../../handlers/limits.ts'
import { findChanges } from '../../../workflows/capacity/changes.ts'
import { coresBusy, findNeeds, UTILISATION_LIMIT } from '../../../workflows/capacity/needs.ts'
import { type CapacityLoad, runStage } from '../../../workflows/capacity/run-stage.ts'
import { readStageSettings, type StageSettings } from '../../../workflows/capacity/stage-settings.ts'
import { lambdaQuotaOf, measureStorage } from '../../../workflows/capacity/storage-and-quotas.ts'
import { documentGigabytesPerDay, keptGigabytesPerDay, VOLUME_TERABYTES } from '../../../workflows/capacity/volume.ts'
import { prodSettings, stageTemplate } from '../../support/stage-template.ts'

const load = (filesPerDay: number, kilobytes = 50, peak = 1): CapacityLoad => ({ filesPerDay, kilobytes, peak })

/** What must change, as `setting from -> to`. */
function changesOf(configured: StageSettings, of: CapacityLoad): string[] {
  const needs = findNeeds(configured, of)
  const compared = {
    ...{ load: of, configured, needs, asConfigured: runStage(configured, of) },
    ...{ storage: measureStorage(of, needs), lambdaQuota: lambdaQuotaOf(configured, needs) },
  }
  return findChanges(compared).map(({ setting, from, to }) => `${setting} ${from} -> ${to}`)
}

test('the settings are those of the template: of the ingest queue, its function and the writer', () => {
  expect(readStageSettings(stageTemplate(prodSettings))).toEqual(prodSettings)
  const serverless = { ...prodSettings, instanceType: 'serverless', maxUnits: 2 }
  expect(readStageSettings(stageTemplate(serverless))).toEqual(serverless)
})

test("at 100,000 files a day AWS's five pollers have 99 of 100 files loaded within two minutes of their put", () => {
  for (const seed of [1, 2, 3]) {
    const { lagSeconds, isUnstable, batches } = runStage(prodSettings, load(100_000), seed)
    expect(isUnstable).toBe(false)
    expect(lagSeconds.p99).toBeLessThan(PUT_TO_COMMIT_P99_MAX_SECONDS)
    // And not of 100: see docs/capacity.md.
    expect(batches.mean).toBeCloseTo(14, 0)
  }
})

test('what is needed keeps the promise and the bounds, and one function less does not', () => {
  const busy = { ...prodSettings, ingestConcurrency: 2, instanceType: 'r8g.4xlarge' }
  const of = load(4_000_000, 50, 10)
  const { settings, simulated } = findNeeds(busy, of)

  expect(simulated).toMatchObject({ isUnstable: false })
  expect(simulated.lagSeconds.p99).toBeLessThan(PUT_TO_COMMIT_P99_MAX_SECONDS)
  expect(simulated.functionUtilisation).toBeLessThanOrEqual(UTILISATION_LIMIT)
  const less = runStage({ ...settings, ingestConcurrency: settings.ingestConcurrency - 1 }, of)
  expect(less.functionUtilisation).toBeGreaterThan(UTILISATION_LIMIT)
  expect(changesOf(busy, of)).toContain(`ingestConcurrency 2 -> ${settings.ingestConcurrency}`)
})

test('the instance is the smallest that may be as busy for ever, a T class by its baseline', () => {
  const instanceAt = (peak: number) => findNeeds(prodSettings, load(1_000_000, 50, peak)).settings.instanceType

  expect(coresBusy(prodSettings, load(10_000_000))).toBeCloseTo(0.307, 3)
  expect(instanceAt(1)).toBe('t4g.medium')
  expect(instanceAt(10)).toBe('t4g.large')
  expect(instanceAt(15)).toBe('r8g.large')
})

test('a window that is longer than the promise becomes shorter', () => {
  const [change, ...others] = changesOf({ ...prodSettings, windowSeconds: 300 }, load(20_000))

  expect(change).toMatch(/^batchingWindow 300 s -> 1[01]\d s$/)
  expect(others).toEqual([])
})

test('files that are too large for a batch of a hundred make batches smaller, or their function would be ended', () => {
  expect(changesOf(prodSettings, load(10, 20_000))).toEqual([expect.stringMatching(/^batchSize 100 -> 3\d$/)])
})

test('what dbt can build of one database bounds a stage: beyond, sources are split over several', () => {
  // 1,157 files a second x 1.2 ms are 139 % of one build after the other.
  const needs = findNeeds({ ...prodSettings, transformIntervalMinutes: 600 }, load(100_000_000, 50))

  expect(needs.stages).toBeGreaterThanOrEqual(2)
  expect(lambdaQuotaOf(prodSettings, needs)).toBe(needs.stages * 29 + 100)
})

test('documents are kept for as long as the volume of Aurora can hold them beside a year of ledger and marts', () => {
  const of = load(10_000_000)
  const { documentDaysMax } = measureStorage(of, findNeeds(prodSettings, of))

  const year = 365 * keptGigabytesPerDay(of)
  expect(year + documentDaysMax * documentGigabytesPerDay(of)).toBeLessThanOrEqual(VOLUME_TERABYTES * 1_000)
  expect(year + (documentDaysMax + 1) * documentGigabytesPerDay(of)).toBeGreaterThan(VOLUME_TERABYTES * 1_000)
  expect(changesOf({ ...prodSettings, rawRetentionDays: 3_650 }, of)).toContain(
    `retention of documents 3650 days -> ${documentDaysMax} days`,
  )
})

test('a busy hour needs more functions and cores, and no more stages or disk', () => {
  const [even, busy] = [2, 20].map((peak) => findNeeds(prodSettings, load(4_500_000, 50, peak)))

  expect(even?.settings).toMatchObject({ ingestConcurrency: 2, instanceType: 't4g.medium' })
  // 1,042 files a second x 2.65 ms = 2.8 of 4 vCPUs.
  expect(busy?.settings).toMatchObject({ instanceType: 'r8g.xlarge' })
  expect(busy?.settings.ingestConcurrency).toBeGreaterThan(5)
  expect(busy?.stages).toBe(1)
})
