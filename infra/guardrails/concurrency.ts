/** How often each function may run at once: one database connection each. */
import { readFileSync } from 'node:fs'
import type { Stack } from 'aws-cdk-lib'
import { z } from 'zod'
import { builtIn, reference } from './built.ts'
import { functionsIn, type LambdaFunction, mappingsIn } from './resources.ts'

const DEFINITION = new URL('../../workflows/pipeline.asl.json', import.meta.url)

/**
 * Counted for what is neither reserved nor bounded by a mapping or a Map: the account alone bounds it, to ten in a new one. As
 * much as is reserved for the busiest of them where there is something to reserve.
 */
const UNBOUNDED = 5

/** What Step Functions takes for no limit in a Map that runs within its execution. */
const MAP_DEFAULT = 40

const stateMachine = z.object({ DefinitionSubstitutions: z.record(z.string(), reference).default({}) })

const state = z.looseObject({ Type: z.string(), MaxConcurrency: z.number().optional() })
const definition = z.object({ States: z.record(z.string(), state) })

export interface Concurrency {
  readonly path: string
  readonly bound: number
}

/** Of the functions that connect to the database. */
export function connectingIn(stack: Stack): Concurrency[] {
  const iterations = iterationsIn(stack)
  return functionsIn(stack)
    .filter(({ properties }) => 'DATABASE_SECRET_ARN' in properties.Environment.Variables)
    .map((each) => ({
      path: each.path,
      bound:
        each.properties.ReservedConcurrentExecutions ??
        (startedByMappings(stack, each).sum || iterations.get(each.id)) ??
        UNBOUNDED,
    }))
}

/** How many of a function its mappings start at most, and each of them. */
export function startedByMappings(stack: Stack, { id }: LambdaFunction): { sum: number; each: number[] } {
  const each = mappingsIn(stack)
    .filter(({ properties }) => properties.FunctionName === id)
    .map(({ properties }) => properties.ScalingConfig.MaximumConcurrency)
  return { each, sum: each.reduce((sum, next) => sum + next, 0) }
}

/** Of functions that only a Map of the state machine invokes, by logical id. The Map stands at the top of the definition. */
function iterationsIn(stack: Stack): Map<string, number> {
  const { States } = definition.parse(JSON.parse(readFileSync(DEFINITION, 'utf8')))
  const maps = Object.values(States).filter(({ Type }) => Type === 'Map')
  return new Map(
    builtIn(stack, 'AWS::StepFunctions::StateMachine', stateMachine).flatMap(({ properties }) =>
      Object.entries(properties.DefinitionSubstitutions).flatMap(([name, id]) => {
        const map = maps.find((each) => JSON.stringify(each).includes(`\${${name}}`))
        return map && id ? [[id, map.MaxConcurrency || MAP_DEFAULT] as const] : []
      }),
    ),
  )
}
