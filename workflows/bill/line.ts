/** A line of a bill: amounts, each with how it came about, and their price. */
import type { Price } from './prices.ts'

export interface BillLine {
  readonly item: string
  /** With its numbers filled in, e.g. `3,041,667 PUT x $0.005 / 1,000`. */
  readonly formula: string
  /** A month of 730 hours. */
  readonly dollars: number
  readonly price: Price
}

/** An amount in the price's unit, and the same in words and factors. */
export type Amount = readonly [amount: number, formula: string]

/**
 * Amounts at a price.
 *
 * @param free how much of it AWS gives for nothing, each month
 */
export function charge(item: string, price: Price, amounts: readonly Amount[], free = 0): BillLine {
  const paid = Math.max(0, amounts.reduce((sum, [amount]) => sum + amount, 0) - free)
  const shown = amounts.filter(([amount]) => amount > 0).map(([, formula]) => formula)
  const sum = [shown.join(' + ') || '0', ...(free > 0 ? [`${count(free)} free`] : [])].join(' - ')
  const isSum = shown.length > 1 || free > 0
  const rate = price.per === 1 ? `$${exact(price.dollars)}` : `$${exact(price.dollars)} / ${count(price.per)}`
  return {
    item,
    formula: `${isSum ? `(${sum})` : sum} x ${rate}`,
    dollars: (paid * price.dollars) / price.per,
    price,
  }
}

/** As people read numbers: whole from a thousand on, four digits below. */
export const count = (value: number): string =>
  Math.abs(value) >= 1_000
    ? Math.round(value).toLocaleString('en-US')
    : value.toLocaleString('en-US', { maximumSignificantDigits: 4 })

const exact = (dollars: number): string => dollars.toLocaleString('en-US', { maximumFractionDigits: 10 })
