/** Evaluates the fields of a state as Step Functions does. */
import jsonata from 'jsonata'
import type { State } from './definition.ts'
import { expressionText } from './expressions.ts'

/** What the expressions of a state see: `$states`, and the variables that were assigned before. */
export interface Bindings {
  readonly states: { readonly input: unknown; readonly context: object; readonly [field: string]: unknown }
  readonly [variable: string]: unknown
}

/** The value of a field with every expression in it replaced by what it yields. */
export async function evaluate(template: unknown, bindings: Bindings): Promise<unknown> {
  if (typeof template === 'string') {
    const source = expressionText(template)
    if (source === undefined) return template
    const value: unknown = await jsonata(source).evaluate(undefined, { ...bindings })
    // As Step Functions does with States.QueryEvaluationError.
    if (value === undefined) throw new Error(`Yields nothing: ${source}`)
    // Arrays of jsonata carry hidden properties.
    return JSON.parse(JSON.stringify(value))
  }
  if (Array.isArray(template)) return Promise.all(template.map((item) => evaluate(item, bindings)))
  if (typeof template !== 'object' || template === null) return template
  return await evaluateFields(template, bindings)
}

async function evaluateFields(fields: object, bindings: Bindings): Promise<Record<string, unknown>> {
  const entries = Object.entries(fields).map(async ([key, value]) => [key, await evaluate(value, bindings)] as const)
  return Object.fromEntries(await Promise.all(entries))
}

/** The first rule of a Choice that holds. */
export async function chosenRule({ Choices = [] }: State, bindings: Bindings) {
  for (const rule of Choices) {
    const holds = await evaluate(rule.Condition, bindings)
    if (typeof holds !== 'boolean') throw new Error(`Not true or false: ${rule.Condition}`)
    if (holds) return rule
  }
  return undefined
}

/** A way out of a state: where to, with what, and which variables are assigned on it. */
export interface Exit {
  readonly next: string | undefined
  readonly output: unknown
  readonly assigns: Readonly<Record<string, unknown>>
}

/** Without Output, a state puts out its result, or, having none, its input. */
export async function leave(
  { Output, Assign = {} }: { readonly Output?: unknown; readonly Assign?: object | undefined },
  next: string | undefined,
  bindings: Bindings,
  result?: unknown,
): Promise<Exit> {
  const { states } = bindings
  const seen = result === undefined ? bindings : { ...bindings, states: { ...states, result } }
  const output = Output === undefined ? (result ?? states.input) : await evaluate(Output, seen)
  return { next, output, assigns: await evaluateFields(Assign, seen) }
}
