/** What a stage costs: its template and a load in, lines with their formulas and prices out. */
import { findUnpriced } from './coverage.ts'
import { databaseLines } from './database.ts'
import { startEstimate } from './estimate.ts'
import { functionLines } from './functions.ts'
import { instanceLines } from './instances.ts'
import type { BillLine } from './line.ts'
import type { Load } from './load.ts'
import { networkLines } from './network.ts'
import { observabilityLines } from './observability.ts'
import { buildLines, orchestrationLines } from './orchestration.ts'
import { secretLines } from './secrets.ts'
import { queueLines, storageLines } from './storage.ts'
import type { Template } from './template.ts'

export type { BillLine } from './line.ts'
export type { Load } from './load.ts'
export type { Template } from './template.ts'

export interface Bill {
  readonly lines: readonly BillLine[]
  readonly dollarsPerMonth: number
  /** 0 when no files come. */
  readonly dollarsPerMillionFiles: number
  /** What is in the template, may cost something, and is not among the lines. */
  readonly notPriced: readonly string[]
}

const parts = [
  ...[storageLines, queueLines, functionLines, orchestrationLines, buildLines],
  ...[databaseLines, networkLines, instanceLines, observabilityLines, secretLines],
]

/**
 * The bill of a month of 730 hours, in us-east-1.
 *
 * @throws when something in the template cannot be read: a bill that leaves it out would be too low
 */
export function estimateBill(template: Template, load: Load): Bill {
  const estimate = startEstimate(template, load)
  const lines = parts.flatMap((part) => part(estimate))
  const dollarsPerMonth = lines.reduce((sum, { dollars }) => sum + dollars, 0)
  const { files } = estimate.traffic
  return {
    lines,
    dollarsPerMonth,
    dollarsPerMillionFiles: files > 0 ? (dollarsPerMonth / files) * 1e6 : 0,
    notPriced: findUnpriced(estimate),
  }
}
