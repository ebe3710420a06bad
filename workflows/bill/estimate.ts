/** What every part of a bill is computed from. */
import { ASSUMPTIONS, type AssumptionName } from './assumptions.ts'
import type { Load } from './load.ts'
import type { Template } from './template.ts'
import { type Traffic, trafficOf, variableOf } from './traffic.ts'

export type Assumed = Readonly<Record<AssumptionName, number>>

export interface Estimate {
  readonly template: Template
  readonly load: Load
  readonly assumed: Assumed
  readonly traffic: Traffic
}

export function startEstimate(template: Template, load: Load): Estimate {
  const assumed = assumedOf(template, load)
  return { template, load, assumed, traffic: trafficOf(template, load, assumed) }
}

/** What is assumed: as the load says, else as the template says, else as the list has it. */
export function assumedOf(template: Template, load: Load): Assumed {
  const standard = Object.fromEntries(Object.entries(ASSUMPTIONS).map(([name, { value }]) => [name, value]))
  const retention = variableOf(template, 'RAW_RETENTION_DAYS')
  return {
    ...(standard as Record<AssumptionName, number>),
    ...(retention !== undefined && { rawRetentionDays: retention }),
    ...load.assumed,
  }
}
