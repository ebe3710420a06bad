import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { estimateBill, type Load } from '../../../workflows/bill/bill.ts'
import { reference } from './reference.ts'

const template = reference()
const load = fc.record({
  filesPerDay: fc.integer({ min: 0, max: 5_000_000 }),
  kilobytes: fc.double({ min: 0.1, max: 30_000, noNaN: true }),
  filesPerBatch: fc.double({ min: 1, max: 100, noNaN: true }),
})
const factor = fc.double({ min: 1, max: 50, noNaN: true })
const total = (given: Load) => estimateBill(template, given).dollarsPerMonth
/** Sums of many lines differ in their last digits. */
const ROUNDING = 1e-9

describe('a bill', () => {
  test('is the sum of its lines, none of them negative, each with a price of a known day and source', () => {
    fc.assert(
      fc.property(load, (given) => {
        const bill = estimateBill(template, given)
        expect(bill.dollarsPerMonth).toBeCloseTo(
          bill.lines.reduce((sum, { dollars }) => sum + dollars, 0),
          6,
        )
        for (const { dollars, price, item, formula } of bill.lines) {
          expect(dollars, item).toBeGreaterThanOrEqual(0)
          expect(price.asOf).toMatch(/^20\d\d-\d\d-\d\d$/)
          expect(price.source).not.toBe('')
          expect(formula).toContain('x $')
        }
      }),
    )
  })

  test('never falls when more files come, or larger ones', () => {
    fc.assert(
      fc.property(load, factor, (given, more) => {
        const before = total(given) * (1 - ROUNDING)
        expect(total({ ...given, filesPerDay: given.filesPerDay * more })).toBeGreaterThanOrEqual(before)
        expect(total({ ...given, kilobytes: given.kilobytes * more })).toBeGreaterThanOrEqual(before)
      }),
    )
  })

  test('never rises when batches are fuller', () => {
    fc.assert(
      fc.property(load, factor, (given, more) => {
        const fuller = total({ ...given, filesPerBatch: given.filesPerBatch * more })
        expect(fuller).toBeLessThanOrEqual(total(given) * (1 + ROUNDING))
      }),
    )
  })

  test('of no files has no price for a million of them', () => {
    expect(estimateBill(template, { filesPerDay: 0, kilobytes: 50, filesPerBatch: 1 }).dollarsPerMillionFiles).toBe(0)
  })
})
