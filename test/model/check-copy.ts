/**
 * Checks programs against the sources beside it, in a process of its own, and prints what came out as JSON: how a copy with a
 * safeguard removed is tested. The server comes in the environment.
 */
import fc from 'fast-check'
import { z } from 'zod'
import { openLaboratory } from './laboratory.ts'
import { checkPrograms, PROGRAMS } from './property.ts'

/** What came out of a check. */
export interface CheckReport {
  readonly failed: boolean
  readonly programs: number
  readonly shrinks: number
  /** The shrunk program, and the first difference that it shows with all that happened before. */
  readonly counterexample: string
  readonly error: string
}

const { MODEL_SERVER, MODEL_SEED } = process.env
const server = z
  .object({ host: z.string(), port: z.number(), username: z.string(), password: z.string() })
  .parse(JSON.parse(MODEL_SERVER ?? 'null'))

// Without a safeguard, something may go on that nobody waits for any more, and fail.
process.on('unhandledRejection', () => {})
const laboratory = await openLaboratory(server)
const outcome = await checkPrograms(laboratory, { numRuns: PROGRAMS, seed: Number(MODEL_SEED), shrinkSeconds: 4 })
const { failed, numRuns, numShrinks, counterexample, errorInstance } = outcome
const report: CheckReport = {
  failed,
  programs: numRuns,
  shrinks: numShrinks,
  counterexample: counterexample === null ? '' : fc.stringify(counterexample[0]),
  error: errorInstance instanceof Error ? errorInstance.message : String(errorInstance),
}
// Without a safeguard, something may still be running, or hold a connection that nobody closes.
process.stdout.write(JSON.stringify(report), () => process.exit())
