import fc from 'fast-check'
import { expect, test } from 'vitest'
import { poissonArrivals } from '../../../workflows/capacity/random.ts'
import { simulate } from '../../../workflows/capacity/simulation.ts'
import { instantService, simulationSettings } from '../../support/simulation.ts'

/** Any small day: rates from a trickle to an overload, few and many functions, quick and slow ones, failures. */
const days = fc
  .record({
    seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    rate: fc.double({ min: 0.2, max: 200, noNaN: true }),
    batchSize: fc.integer({ min: 1, max: 200 }),
    windowSeconds: fc.integer({ min: 0, max: 60 }),
    maximumConcurrency: fc.integer({ min: 2, max: 12 }),
    receiveSeconds: fc.constantFrom(0, 0.02),
    choice: fc.constantFrom('random' as const, 'in turn' as const),
    fixedSeconds: fc.double({ min: 0, max: 2, noNaN: true }),
    databaseSecondsPerFile: fc.double({ min: 0, max: 0.02, noNaN: true }),
    failingShare: fc.constantFrom(0, 0.05),
    deliverySeconds: fc.constantFrom(0, 1),
  })
  .map(({ seed, rate, failingShare, deliverySeconds, fixedSeconds, databaseSecondsPerFile, ...mapping }) =>
    simulationSettings(
      {
        ...{ seed, failingShare, deliverySeconds, arrivals: poissonArrivals(seed, rate, 60) },
        service: { ...instantService, fixedSeconds, databaseSecondsPerFile, followUpSeconds: 0.01 },
      },
      mapping,
    ),
  )

test('every file is committed by exactly one batch, after it was put, and no batch is larger than it may be', () => {
  fc.assert(
    fc.property(days, (settings) => {
      const { batchOf, batchSizes, committedAt } = simulate(settings)
      const committed = new Map<number, number>()
      for (const batch of batchOf) committed.set(batch, (committed.get(batch) ?? 0) + 1)

      expect(committed.has(-1)).toBe(false)
      for (const [batch, files] of committed) expect(files).toBeLessThanOrEqual(batchSizes[batch] ?? 0)
      for (const size of batchSizes) expect(size).toBeLessThanOrEqual(settings.mapping.batchSize)
      // Committed twice is an error of its own; what failed was in a batch once more.
      const handedOver = batchSizes.reduce((sum, size) => sum + size, 0)
      if (settings.failingShare === 0) expect(handedOver).toBe(settings.arrivals.length)
      for (const [file, at] of committedAt.entries()) expect(at).toBeGreaterThanOrEqual(settings.arrivals[file] ?? 0)
    }),
    { numRuns: 60 },
  )
}, 20_000)

test('the same seed gives the same day, to the last digit', () => {
  fc.assert(
    fc.property(days, (settings) => {
      expect(simulate(settings)).toEqual(simulate(settings))
    }),
    { numRuns: 20 },
  )
}, 20_000)

test('slower functions never make files come earlier, on average', () => {
  fc.assert(
    fc.property(days, fc.double({ min: 0.5, max: 3, noNaN: true }), (settings, more) => {
      const slower = { ...settings.service, fixedSeconds: settings.service.fixedSeconds + more }
      const lag = (service: typeof slower) =>
        simulate({ ...settings, failingShare: 0, deliverySeconds: 0, service }).lagSeconds.mean
      // By how messages fall into batches it may be a little less; never by what was added.
      expect(lag(slower)).toBeGreaterThan(lag(settings.service))
    }),
    { numRuns: 40 },
  )
}, 20_000)

test('one core is never quicker than a core for each insert', () => {
  fc.assert(
    fc.property(days, (settings) => {
      const lag = (cores: number) =>
        simulate({ ...settings, failingShare: 0, deliverySeconds: 0, cores }).lagSeconds.mean
      expect(lag(1)).toBeGreaterThanOrEqual(lag(16) * 0.98)
    }),
    { numRuns: 40 },
  )
}, 20_000)

test('batches of one, on one core, wait as the formula of a queue with one server says', () => {
  // M/D/1 with processor sharing: from arrival to end s / (1 - rho), whatever the distribution of s.
  // https://en.wikipedia.org/wiki/M/G/1_queue#Processor_sharing
  for (const utilisation of [0.3, 0.5, 0.7]) {
    const serviceSeconds = 0.1
    const { lagSeconds, writerUtilisation } = simulate(
      simulationSettings(
        {
          arrivals: poissonArrivals(7, utilisation / serviceSeconds, 40_000),
          service: { ...instantService, databaseSecondsPerFile: serviceSeconds },
          cores: 1,
        },
        { batchSize: 1, pollers: 200, maximumConcurrency: 200 },
      ),
    )

    expect(writerUtilisation).toBeCloseTo(utilisation, 1)
    expect(lagSeconds.mean / (serviceSeconds / (1 - utilisation))).toBeCloseTo(1, 1)
  }
}, 20_000)

test('at a low rate a batch holds its first file and what comes to its poller within the window', () => {
  const { batches } = simulate(simulationSettings({ arrivals: poissonArrivals(3, 1.2, 36_000) }, { choice: 'random' }))

  expect(batches.mean / (1 + (1.2 / 5) * 55)).toBeCloseTo(1, 1)
})
