/** A state machine's definition as the tests read it: its shape, its scopes, and which states follow which. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'

const retrier = z.looseObject({
  Comment: z.string().optional(),
  ErrorEquals: z.array(z.string()),
  IntervalSeconds: z.number().optional(),
  MaxAttempts: z.number().optional(),
  BackoffRate: z.number().optional(),
  MaxDelaySeconds: z.number().optional(),
  JitterStrategy: z.string().optional(),
})

const assignments = z.record(z.string(), z.unknown()).optional()

const catcher = z.looseObject({ ErrorEquals: z.array(z.string()), Next: z.string(), Assign: assignments })

const choiceRule = z.looseObject({ Condition: z.string(), Next: z.string(), Assign: assignments })

const state = z.looseObject({
  Type: z.string(),
  Comment: z.string().optional(),
  Next: z.string().optional(),
  Choices: z.array(choiceRule).optional(),
  Default: z.string().optional(),
  Resource: z.string().optional(),
  Arguments: z.looseObject({ FunctionName: z.string().optional(), Payload: z.unknown().optional() }).optional(),
  Output: z.unknown().optional(),
  Assign: assignments,
  TimeoutSeconds: z.unknown().optional(),
  Retry: z.array(retrier).optional(),
  Catch: z.array(catcher).optional(),
  /** Of a Parallel. */
  get Branches() {
    return z.array(graph).optional()
  },
  /** Of a Map. */
  get ItemProcessor() {
    return graph.optional()
  },
})

const graph = z.looseObject({
  StartAt: z.string(),
  States: z.record(z.string(), state),
  /** Of an item processor. */
  ProcessorConfig: z.looseObject({ Mode: z.string().optional() }).optional(),
})

export type Retrier = z.infer<typeof retrier>
export type State = z.infer<typeof state>
export type Graph = z.infer<typeof graph>

/** Reads a definition without judging it beyond its shape. Every field is kept, known or not. */
export const parseDefinition = (definition: unknown): Graph => graph.parse(definition)

const source = readFileSync(new URL('../../workflows/pipeline.asl.json', import.meta.url), 'utf8')

/** The state machine `pipeline`, a fresh copy. */
export const pipelineDefinition = (): Graph => parseDefinition(JSON.parse(source))

/** The states that can see each other: those of the machine, of one branch, or of one item processor. */
export interface Scope {
  readonly graph: Graph
  /** Goes before the names of its states, e.g. `LoadFiles.ItemProcessor.`; empty for the machine itself. */
  readonly prefix: string
  /** The state that it lies in; the machine itself lies in none. */
  readonly holder?: Place
}

/** A state and where it stands. */
export interface Place {
  readonly scope: Scope
  readonly name: string
  readonly state: State
}

/** Every scope, outer ones before those within. */
export function scopesOf(graph: Graph, prefix = '', holder?: Place): Scope[] {
  const scope: Scope = { graph, prefix, ...(holder && { holder }) }
  const inner = placesOf(scope).flatMap((place) => {
    const { Branches = [], ItemProcessor } = place.state
    return [
      ...Branches.flatMap((branch, index) => scopesOf(branch, `${prefix}${place.name}.Branches[${index}].`, place)),
      ...(ItemProcessor ? scopesOf(ItemProcessor, `${prefix}${place.name}.ItemProcessor.`, place) : []),
    ]
  })
  return [scope, ...inner]
}

/** The states of one scope. */
export const placesOf = (scope: Scope): Place[] =>
  Object.entries(scope.graph.States).map(([name, state]) => ({ scope, name, state }))

/** The ways out of a state, each with the variables that are assigned on it. */
export function waysOutOf(state: State): { to: string; assigns: string[] }[] {
  const { Next, Default, Assign = {}, Choices = [], Catch = [] } = state
  const own = [Next, Default].filter((to) => to !== undefined).map((to) => ({ to, assigns: Object.keys(Assign) }))
  return [...own, ...[...Choices, ...Catch].map((rule) => ({ to: rule.Next, assigns: Object.keys(rule.Assign ?? {}) }))]
}

/** `names`, and every state of the graph that may come after them. */
export function reachableFrom(graph: Graph, names: readonly string[]): Set<string> {
  const reached = new Set<string>()
  const pending = [...names]
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const found = graph.States[name]
    if (found === undefined || reached.has(name)) continue
    reached.add(name)
    pending.push(...waysOutOf(found).map(({ to }) => to))
  }
  return reached
}

/** The names in a definition that the deployment replaces, e.g. `QuarantineFilesFunctionArn` for `${...}`. */
export function substitutionsOf(definition: Graph): string[] {
  return [...new Set([...JSON.stringify(definition).matchAll(/\$\{([^}]*)\}/g)].map(([, name = '']) => name))].sort()
}
