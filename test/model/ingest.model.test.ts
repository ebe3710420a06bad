import fc from 'fast-check'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { type Laboratory, openLaboratory } from './laboratory.ts'
import { checkPrograms, replay } from './property.ts'

/** Half a minute. `npm run test:slow` runs more, `npm run test:soak` as many as one likes. */
const PROGRAMS = 100

let laboratory: Laboratory
beforeAll(async () => {
  laboratory = await openLaboratory(inject('database'))
})
afterAll(() => laboratory[Symbol.asyncDispose]())

test(`after each of ${PROGRAMS} random programs the ledger is what the model says, and every document is exact`, async () => {
  const outcome = await checkPrograms(laboratory, { numRuns: PROGRAMS, shrinkSeconds: 60, ...replay() })
  expect(outcome.failed, fc.defaultReportMessage(outcome)).toBe(false)
})
