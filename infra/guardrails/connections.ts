/** Rules on concurrency: what Lambda starts may run, and what runs may connect to the database. */
import { readdirSync, readFileSync } from 'node:fs'
import type { Stack } from 'aws-cdk-lib'
import type { Problem } from './built.ts'
import { connectingIn, startedByMappings } from './concurrency.ts'
import { sizesIn } from './database-size.ts'
import { functionsIn, mappingsIn } from './resources.ts'

const DBT_PROFILE = new URL('../../dbt/profiles.yml', import.meta.url)
const MIGRATIONS = new URL('../../db/migrations/', import.meta.url)

/** Of dbt besides its threads: one that lists what is there, and the one that holds the lock of the run. */
const DBT_BESIDES_THREADS = 2

/** A mapping's least. */
const CONCURRENCY_MIN = 2

/** Or Lambda throttles what the mappings start, and each throttle is a receive on the way to the dead-letter queue. */
export function reservedTooFew(stack: Stack): Problem[] {
  return functionsIn(stack).flatMap((each) => {
    const { ReservedConcurrentExecutions: reserved } = each.properties
    const wanted = startedByMappings(stack, each)
    if (reserved === undefined || reserved >= wanted.sum) return []
    const fitting = Math.max(...wanted.each) - (wanted.sum - reserved)
    const lower = fitting >= CONCURRENCY_MIN ? `, or lower ingestConcurrency to ${fitting}` : ''
    return {
      at: each.path,
      says:
        `${reserved} executions are reserved, fewer than the ${wanted.sum} (${wanted.each.join(' + ')}) that its mappings ` +
        'start at once, and what is throttled uses up its receives. ' +
        `Leave the reservation, and the mappings' maximum, to ingestion.ts${lower}.`,
    }
  })
}

/** Or somebody is refused: a batch comes again, an analyst does not. */
export function tooManyConnections(stack: Stack): Problem[] {
  const { known, unknown } = sizesIn(stack)
  const functions = connectingIn(stack)
  const dbt = lastNumber(readFileSync(DBT_PROFILE, 'utf8'), /^\s*threads: (\d+)/gm) + DBT_BESIDES_THREADS
  const readers = lastNumber(allMigrations(), /ALTER ROLE "sluice_reader" CONNECTION LIMIT (\d+)/g)
  const ofFunctions = functions.reduce((sum, { bound }) => sum + bound, 0)
  // One for the migration.
  const needed = ofFunctions + dbt + 1 + readers

  const busiest = functions.toSorted((one, other) => other.bound - one.bound)[0]
  const smallest = known.toSorted((one, other) => one.connections - other.connections)[0]
  const unknowns = unknown.map(({ path, properties }) => ({
    at: path,
    says:
      `how many connections a ${properties.DBInstanceClass} takes is not known, so nobody can say whether ${needed} fit. Add ` +
      'it to workflows/capacity/instance-classes.ts, or choose an aurora.compute.instanceType that is there.',
  }))
  if (smallest === undefined || busiest === undefined || needed <= smallest.connections) return unknowns

  const { path, what, connections, remedyFor } = smallest
  const fitting =
    Math.max(...mappingsIn(stack).map((each) => each.properties.ScalingConfig.MaximumConcurrency)) -
    (needed - connections)
  return [
    ...unknowns,
    {
      at: path,
      says:
        `${needed} connections may be open at once (${busiest.path} ${busiest.bound}, other functions ` +
        `${ofFunctions - busiest.bound}, dbt ${dbt}, the migration 1, readers ${readers}), more than the ${connections} that ` +
        `${what} has for us. ${fitting >= CONCURRENCY_MIN ? `Lower ingestConcurrency to ${fitting}, or ` : ''}` +
        `${remedyFor(needed)}.`,
    },
  ]
}

function allMigrations(): string {
  const files = readdirSync(MIGRATIONS).filter((name) => name.endsWith('.sql'))
  return files
    .sort()
    .map((name) => readFileSync(new URL(name, MIGRATIONS), 'utf8'))
    .join('\n')
}

/** The one that holds: what is said later replaces what was said before. */
function lastNumber(text: string, pattern: RegExp): number {
  const [, digits] = [...text.matchAll(pattern)].at(-1) ?? []
  if (digits === undefined)
    throw new Error(`The guardrails find no ${pattern} any more, by which they count connections.`)
  return Number(digits)
}
