import fc from 'fast-check'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { type Laboratory, openLaboratory } from './laboratory.ts'
import { checkPrograms, PROGRAMS_PER_SEED, seedsFor } from './property.ts'

/** Half a minute. `npm run test:slow` runs more, `npm run test:soak` as many as one likes. */
const PROGRAMS = 100

let laboratory: Laboratory
beforeAll(async () => {
  laboratory = await openLaboratory(inject('database'))
})
afterAll(() => laboratory[Symbol.asyncDispose]())

test(`after each of ${PROGRAMS} programs the ledger is what the model says, and every document is exact`, async () => {
  for (const seed of seedsFor(PROGRAMS)) {
    const outcome = await checkPrograms(laboratory, { numRuns: PROGRAMS_PER_SEED, shrinkSeconds: 60, ...seed })
    expect(outcome.failed, fc.defaultReportMessage(outcome)).toBe(false)
  }
})
