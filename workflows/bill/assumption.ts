/** A figure that no template says. */

export interface Assumption {
  readonly value: number
  readonly unit: string
  readonly reason: string
}

export const assumed = (value: number, unit: string, reason: string): Assumption => ({ value, unit, reason })
