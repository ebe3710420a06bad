import fc from 'fast-check'
import { expect, inject, test } from 'vitest'
import { openLaboratory } from '../model/laboratory.ts'
import { checkPrograms, PROGRAMS_PER_SEED, seedsFor } from '../model/property.ts'

/** Four minutes. `npm test` runs 100, `npm run test:soak` as many as one likes. */
const PROGRAMS = 1_000

test(`after each of ${PROGRAMS} programs the ledger is what the model says, and every document is exact`, async () => {
  await using laboratory = await openLaboratory(inject('database'))
  for (const seed of seedsFor(PROGRAMS)) {
    const outcome = await checkPrograms(laboratory, { numRuns: PROGRAMS_PER_SEED, shrinkSeconds: 120, ...seed })
    expect(outcome.failed, fc.defaultReportMessage(outcome)).toBe(false)
  }
})
