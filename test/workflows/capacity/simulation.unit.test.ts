import { expect, test } from 'vitest'
import { poissonArrivals } from '../../../workflows/capacity/random.ts'
import { type SimulationSettings, simulate } from '../../../workflows/capacity/simulation.ts'
import { instantService, simulationSettings } from '../../support/simulation.ts'

const run = (arrivals: readonly number[], settings: Partial<SimulationSettings> = {}, mapping = {}) =>
  simulate(simulationSettings({ arrivals: Float64Array.from(arrivals), ...settings }, mapping))

test('a file that comes alone waits for the window of its batch, and is then loaded', () => {
  const { batchSizes, lagSeconds } = run([3])

  expect(batchSizes).toEqual([1])
  expect(lagSeconds.max).toBe(55)
})

test('what comes at once fills batches, which leave at once', () => {
  const { batchSizes, lagSeconds } = run(Array(500).fill(0))

  expect(batchSizes).toEqual([100, 100, 100, 100, 100])
  expect(lagSeconds.max).toBe(0)
})

test('five pollers that take turns spread few files over five batches', () => {
  const { batchSizes, batchOf } = run([0, 1, 2, 3, 4, 5])

  expect(batchSizes).toEqual([2, 1, 1, 1, 1])
  expect([...batchOf]).toEqual([0, 1, 2, 3, 4, 0])
})

test('a batch leaves at the end of its own window, whatever became of the one before', () => {
  const { committedAt } = run([...Array(10).fill(0), 1], {}, { pollers: 1, batchSize: 10 })

  expect(committedAt[0]).toBe(0)
  expect(committedAt[10]).toBe(56)
})

test('a batch ends before an invocation carries more than 6 MB', () => {
  const mapping = { batchSize: 10_000, messageBytes: 64 * 1_024, pollers: 1 }
  const { batchSizes } = run(Array(200).fill(0), {}, mapping)

  // 96 x 64 KiB = 6 MiB; the rest waits for the window.
  expect(batchSizes).toEqual([96, 96, 8])
})

test('no more invocations run at once than the mapping may have', () => {
  const { connectionsMax, committedAt } = run(
    Array(500).fill(0),
    { service: { ...instantService, fixedSeconds: 2 } },
    { maximumConcurrency: 2 },
  )

  expect(connectionsMax).toBe(2)
  expect(Math.max(...committedAt)).toBe(6)
})

test('inserts share the cores of the writer', () => {
  const service = { ...instantService, databaseSecondsPerFile: 0.01 }
  const longest = (cores: number) => run(Array(400).fill(0), { service, cores }, { pollers: 4 }).lagSeconds.max

  expect(longest(4)).toBeCloseTo(1)
  expect(longest(2)).toBeCloseTo(2)
  expect(longest(1)).toBeCloseTo(4)
})

test('an insert that comes later slows the one that runs, and is slowed by it', () => {
  const service = { ...instantService, databaseSecondsPerFile: 1 }
  // Each alone for half a second at first, and at the end; both at half speed between.
  const { committedAt } = run([0, 0.5], { service, cores: 1 }, { batchSize: 1 })

  expect(committedAt[0]).toBeCloseTo(1.5)
  expect(committedAt[1]).toBeCloseTo(2)
})

test('pollers become more while messages wait: 300 a minute, up to the maximum concurrency', () => {
  const backlog = Array(20_000).fill(0)
  const service = { ...instantService, fixedSeconds: 3_600 }
  const atOnce = (maximumConcurrency: number) => run(backlog, { service }, { maximumConcurrency }).connectionsMax

  expect(atOnce(5)).toBe(5)
  expect(atOnce(60)).toBe(60)
})

test('a message that fails comes again after its visibility timeout', () => {
  const arrivals = poissonArrivals(1, 10, 600)
  const { lagSeconds, batchOf } = run([...arrivals], { failingShare: 0.02, visibilityTimeoutSeconds: 415 })

  expect(lagSeconds.p50).toBeLessThan(60)
  // Counted from its receipt: up to a window before, and a window more when it comes again.
  expect(lagSeconds.p99).toBeGreaterThan(415)
  expect(batchOf.every((batch) => batch >= 0)).toBe(true)
})

test('files that come faster than they are loaded show as unstable, with a queue that grows', () => {
  const arrivals = [...poissonArrivals(1, 300, 300)]
  const service = { ...instantService, fixedSeconds: 1 }
  const some = run(arrivals, { service }, { maximumConcurrency: 5 })
  const few = run(arrivals, { service }, { maximumConcurrency: 2 })

  expect(some).toMatchObject({ isUnstable: false })
  expect(few).toMatchObject({ isUnstable: true })
  expect(few.backlog).toBeGreaterThan(20_000)
  expect(few.functionUtilisation).toBeGreaterThan(0.98)
})
