import { beforeAll, expect, test } from 'vitest'
import { PUT_TO_COMMIT_P99_MAX_SECONDS } from '../../handlers/limits.ts'
import { poissonArrivals } from '../../workflows/capacity/random.ts'
import { figuresOfMeasured, figuresOfPredicted, type Measured, measure, predict } from '../support/capacity.ts'

/**
 * 100,000 files a day, of which each batch holds what came within the window, and ten times as many, which fill batches
 * before it ends. A cloud for each, at the same time: both wait for most of it.
 */
const RATES = [1.2, 12]
/** Five windows: the pollers begin together, and have lost their step by the end. */
const SECONDS = 300
/** What a prediction may be off. */
const TOLERANCE = 0.2

let runs: Map<number, Measured>

beforeAll(async () => {
  const measured = await Promise.all(
    RATES.map((rate) => measure(`capacity-${Math.round(rate)}`, poissonArrivals(rate, rate, SECONDS))),
  )
  runs = new Map(RATES.map((rate, index) => [rate, measured[index] as Measured]))
}, 600_000)

const runOf = (rate: number): Measured => runs.get(rate) as Measured

test.each(RATES)('at %s files a second the simulation says how large batches are and how long files take', (rate) => {
  const measured = runOf(rate)
  const is = figuresOfMeasured(measured)
  const predicted = figuresOfPredicted(measured, predict(measured))
  console.info(`${rate} files/s, ${measured.files.length} files`, { measured: is, predicted })

  for (const figure of ['meanBatchSize', 'p50Seconds', 'p99Seconds'] as const) {
    expect(Math.abs(predicted[figure] / is[figure] - 1), figure).toBeLessThan(TOLERANCE)
  }
})

test.each(RATES)('at %s files a second all files are loaded, 99 of 100 within two minutes', (rate) => {
  const { files } = runOf(rate)

  expect(files).toHaveLength(poissonArrivals(rate, rate, SECONDS).length)
  expect(figuresOfMeasured(runOf(rate)).p99Seconds).toBeLessThan(PUT_TO_COMMIT_P99_MAX_SECONDS)
})
