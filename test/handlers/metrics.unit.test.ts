import { expect, test, vi } from 'vitest'
import { logger } from '../../handlers/logger.ts'
import { countOf, emitMetrics } from '../../handlers/metrics.ts'
import { printedBy } from '../support/printed-metrics.ts'

const SERVICE = 'sluice-prod-ingest'

test('a measurement is a line with the name of the function as its one dimension', async () => {
  const lines = await printedBy(SERVICE, () => emitMetrics([countOf('BatchSize', 7)]))

  expect(lines).toEqual([
    {
      namespace: 'Sluice',
      dimensions: { service: SERVICE },
      metrics: { BatchSize: [7] },
      units: { BatchSize: 'Count' },
    },
  ])
})

test('what is about a source is in a line of its own, with the source as second dimension', async () => {
  const lines = await printedBy(SERVICE, () =>
    emitMetrics([
      countOf('BatchSize', 7),
      { name: 'PutToCommit', unit: 'Seconds', values: [0.5, 60] },
      { ...countOf('FilesLoaded', 6), source: 'orders' },
      { ...countOf('FilesLoaded', 1), source: 'none' },
    ]),
  )

  expect(lines).toMatchObject([
    {
      dimensions: { service: SERVICE },
      metrics: { BatchSize: [7], PutToCommit: [0.5, 60] },
      units: { PutToCommit: 'Seconds' },
    },
    { dimensions: { service: SERVICE, source: 'orders' }, metrics: { FilesLoaded: [6] } },
    { dimensions: { service: SERVICE, source: 'none' }, metrics: { FilesLoaded: [1] } },
  ])
  expect(lines.map(({ dimensions }) => Object.keys(dimensions).length)).toEqual([1, 2, 2])
})

test.each([99, 100, 101, 250, 10_000])(
  '%i values come whole and in order, and keep their dimensions',
  async (count) => {
    const values = Array.from({ length: count }, (_, i) => i)

    const lines = await printedBy(SERVICE, () =>
      emitMetrics([
        { ...countOf('FilesLoaded', count), source: 'orders' },
        { name: 'FilesRefused', unit: 'Count', values, source: 'orders' },
        { ...countOf('FilesVanished', 1), source: 'orders' },
      ]),
    )

    const all = (name: string) => lines.flatMap(({ metrics }) => metrics[name] ?? [])
    expect(all('FilesRefused')).toEqual(values)
    expect([all('FilesLoaded'), all('FilesVanished')]).toEqual([[count], [1]])
    expect(new Set(lines.map(({ dimensions }) => JSON.stringify(dimensions)))).toEqual(
      new Set([JSON.stringify({ service: SERVICE, source: 'orders' })]),
    )
    expect(lines.length).toBeLessThanOrEqual(count / 100 + 1)
  },
)

test('nothing is printed when there is nothing to say', async () => {
  const lines = await printedBy(SERVICE, () => emitMetrics([{ name: 'PutToCommit', unit: 'Seconds', values: [] }]))

  expect(lines).toEqual([])
})

test('what cannot be printed is logged, and fails nobody', async () => {
  const warn = vi.spyOn(logger, 'warn')
  const notANumber = JSON.parse('"seven"')

  const lines = await printedBy(SERVICE, () => emitMetrics([countOf('BatchSize', notANumber)]))

  expect(lines).toEqual([])
  expect(warn.mock.calls).toEqual([['metrics not printed', { error: 'RangeError' }]])
})
