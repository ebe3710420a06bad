/** A Task of the state machine: one invocation of its function, which only faults may have fail. */
import { areRiddenOut, type Fault } from './faults.ts'
import type { LambdaFunction } from './function.ts'
import type { Laboratory } from './laboratory.ts'
import { Life } from './life.ts'
import type { World } from './world.ts'

export interface Task {
  readonly laboratory: Laboratory
  readonly world: World
  /** For the trace, and for what the code calls after it. */
  readonly name: string
  readonly faults: readonly Fault[]
}

/** Either of them ends the execution, until somebody redrives it. */
type Outcome<Result> = { readonly answer: Result } | { readonly died: readonly string[] } | { readonly failed: unknown }

/** @throws when it failed though nothing happened, or nothing that must fail it */
export async function runTask<Result>(
  { laboratory, world, name, faults }: Task,
  lambda: LambdaFunction,
  work: (dependencies: Parameters<Parameters<LambdaFunction['invoke']>[1]>[0], life: Life) => Promise<Result>,
): Promise<Outcome<Result>> {
  const life = new Life(faults, laboratory.tally.meet)
  const outcome = await lambda
    .invoke(life, (dependencies) => work(dependencies, life))
    .catch((error: unknown) => ({ failed: error }))
  const met = life.met.length > 0 ? `, met ${JSON.stringify(life.met)}` : ''
  world.trace.push(`${name}: ${'failed' in outcome ? outcome.failed : JSON.stringify(outcome)}${met}`)
  if (!('failed' in outcome)) return outcome
  if (life.isStuck || areRiddenOut(life.met)) throw new Error(`${name} failed for no reason`, { cause: outcome.failed })
  return outcome
}
