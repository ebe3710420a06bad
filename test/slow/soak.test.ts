import { expect, test } from 'vitest'
import { compareQuarters } from '../soak/cloud/memory.ts'
import { renderSoak } from '../soak/cloud/report.ts'
import { soakCloud } from '../soak/cloud.ts'

test('while workers are killed and PostgreSQL restarts, every version of 2,000 files gets to its place, once', async () => {
  const shorter = { outageSeconds: [8], ingestTimeoutSeconds: 6 }
  const report = await soakCloud({ files: 2_000, seed: 1, ...shorter, onProgress: console.log })

  console.log(renderSoak(report))
  expect(report.violations).toEqual([])
  // Or there was no trouble to get over.
  expect(report.counted).toMatchObject({ redeliveries: expect.toSatisfy((count: number) => count > 0) })
  expect(Math.min(report.kills, report.duplicates, report.badFiles, report.overwrites)).toBeGreaterThan(0)
})

test.each([
  { what: 'a leak of 1 MB a sample', sizeAt: (sample: number) => 100 + sample, verdict: 'grows' },
  { what: 'a heap that is filled and collected', sizeAt: (sample: number) => 100 + (sample % 10) * 5, verdict: 'flat' },
])('$what is told from the other', ({ sizeAt, verdict }) => {
  const samples = Array.from({ length: 200 }, (_, n) => ({ at: n, megabytes: new Map([['worker', sizeAt(n)]]) }))

  expect(compareQuarters(samples)).toMatchObject([{ kind: 'worker', samples: 200, verdict }])
})

test('what the emulator keeps of each file is no leak, and hides none in others', () => {
  const samples = Array.from({ length: 200 }, (_, n) => ({
    at: n,
    megabytes: new Map([
      ['emulator', 100 + n],
      ['worker', 100 + n],
    ]),
  }))

  expect(compareQuarters(samples, { emulator: 80 }).map(({ kind, verdict }) => [kind, verdict])).toEqual([
    ['emulator', 'flat'],
    ['worker', 'grows'],
  ])
})
