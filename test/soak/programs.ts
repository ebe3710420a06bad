/** Runs programs of the model with all their faults, for as long as somebody wants. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { startPostgres } from '../../infra/local/postgres.ts'
import { type Laboratory, openLaboratory } from '../model/laboratory.ts'
import { checkPrograms, PROGRAMS_PER_SEED } from '../model/property.ts'

/** Seconds in which a program that shows a violation is made smaller. */
const SHRINK_SECONDS = 60

export interface Violation {
  /** With `MODEL_SEED` and `MODEL_PATH`, `npx vitest run --project model` runs it again. */
  readonly seed: number
  readonly path: string
  /** The shrunk program, and what happened. */
  readonly report: string
}

export interface ProgramsSoaked {
  readonly programs: number
  /** Times, by what happened: faults, repeated deliveries, nights. */
  readonly counts: ReadonlyMap<string, number>
  readonly violations: readonly Violation[]
}

export interface SoakOptions {
  readonly minutes: number
  /** Of the first twenty programs; each further twenty have the next. */
  readonly seed: number
  /** Called after each twenty, with the sum so far. */
  readonly onProgress: (soaked: ProgramsSoaked) => void
}

/** Runs programs on a PostgreSQL of its own. Twenty that were begun are ended. */
export async function soakPrograms({ minutes, seed, onProgress }: SoakOptions): Promise<ProgramsSoaked> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-soak-'))
  const { host, port, user: username, password, stop } = await startPostgres({ directory })
  try {
    await using laboratory = await openLaboratory({ host, port, username, password })
    const until = performance.now() + minutes * 60_000
    let soaked: ProgramsSoaked = { programs: 0, counts: laboratory.tally.counts, violations: [] }
    for (let next = seed; performance.now() < until; next++) {
      soaked = await soakSeed(laboratory, next, soaked)
      onProgress(soaked)
    }
    return soaked
  } finally {
    await stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function soakSeed(laboratory: Laboratory, seed: number, before: ProgramsSoaked): Promise<ProgramsSoaked> {
  const outcome = await checkPrograms(laboratory, {
    numRuns: PROGRAMS_PER_SEED,
    seed,
    shrinkSeconds: SHRINK_SECONDS,
  })
  const violation: Violation = {
    seed,
    path: outcome.counterexamplePath ?? '',
    report: `${fc.defaultReportMessage(outcome) ?? ''}\n${messageOf(outcome.errorInstance)}`,
  }
  return {
    programs: before.programs + outcome.numRuns,
    counts: laboratory.tally.counts,
    violations: outcome.failed ? [...before.violations, violation] : before.violations,
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
