/** The property: whatever the program, ledger, documents and batches are what the model says. */
import fc from 'fast-check'
import type { Laboratory } from './laboratory.ts'
import { type Program, programs } from './program.ts'
import { runProgram } from './run-program.ts'

/** Programs within which each safeguard that is removed shows: a minute. */
export const PROGRAMS = 250

/** What a person asks for by environment variables: the seed and the path that the report of a failure names. */
function replay(): { seed?: number; path?: string } {
  const { MODEL_SEED, MODEL_PATH } = process.env
  return { ...(MODEL_SEED && { seed: Number(MODEL_SEED) }), ...(MODEL_PATH && { path: MODEL_PATH }) }
}

/** Programs of one seed, where many seeds are gone through. */
export const PROGRAMS_PER_SEED = 20

/**
 * Seeds of the tests: the same programs each time, so that it is a change that makes them fail. `npm run test:soak` looks for new
 * ones. What a person asks for by environment variables goes first.
 */
export const seedsFor = (programs: number): { seed: number; path?: string }[] => {
  const { seed, path } = replay()
  if (seed !== undefined) return [{ seed, ...(path && { path }) }]
  return Array.from({ length: programs / PROGRAMS_PER_SEED }, (_, index) => ({ seed: 22_000 + index }))
}

interface Parameters {
  readonly numRuns: number
  readonly seed?: number
  readonly path?: string
  /** Seconds in which a failing program is made smaller. Where functions race, that could go on for ever. */
  readonly shrinkSeconds: number
}

/** Runs random programs; a seed (and the path of a counterexample) runs the same ones again. */
export async function checkPrograms(
  laboratory: Laboratory,
  { shrinkSeconds, ...parameters }: Parameters,
): Promise<fc.RunDetails<[Program]>> {
  let shrinkUntil = Number.POSITIVE_INFINITY
  const property = fc.asyncProperty(programs, async (program) => {
    // What is not run any more counts as passed, which ends the shrinking.
    if (performance.now() > shrinkUntil) return
    try {
      await runProgram(laboratory, program)
    } catch (error) {
      shrinkUntil = Math.min(shrinkUntil, performance.now() + shrinkSeconds * 1_000)
      throw error
    }
  })
  return await fc.check(property, parameters)
}
