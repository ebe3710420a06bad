/** What comes to a stage. */
import type { AssumptionName } from './assumptions.ts'

export interface Load {
  readonly filesPerDay: number
  /** Of a file, each of 1,000 bytes. */
  readonly kilobytes: number
  readonly filesPerBatch: number
  /** What else is assumed, where it differs from ASSUMPTIONS. */
  readonly assumed?: Partial<Record<AssumptionName, number>>
}
