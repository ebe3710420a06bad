/** Walks a definition as Step Functions would, with the results of its Tasks given. It refuses what it does not know. */
import jsonata from 'jsonata'
import type { Graph, State } from './definition.ts'
import { expressionText } from './expressions.ts'

export interface Run {
  /** The states entered, in order. Each is a state transition, which is what Step Functions bills. */
  readonly route: readonly string[]
  /** What each Task was called with, by state. */
  readonly calls: Readonly<Record<string, unknown>>
  /** Of the last state; of a Fail its Error and Cause. */
  readonly output: unknown
}

/** @param results what each Task returns, by state */
export async function run(definition: Graph, input: unknown, results: Record<string, unknown> = {}): Promise<Run> {
  const route: string[] = []
  const calls: Record<string, unknown> = {}
  let output = input
  for (let next: string | undefined = definition.StartAt; next !== undefined; ) {
    const name: string = next
    const state: State | undefined = definition.States[name]
    if (state === undefined) throw new Error(`No state ${name}`)
    route.push(name)
    const states = { input: output }
    next = state.Next
    switch (state.Type) {
      case 'Choice':
        next = (await chosenRule(state, states))?.Next ?? state.Default
        break
      case 'Task':
        if (!(name in results)) throw new Error(`No result was given for the Task ${name}`)
        calls[name] = await evaluate(state.Arguments, { states })
        output = await outputOf(state, { ...states, result: results[name] })
        break
      case 'Succeed':
        output = await outputOf(state, states)
        break
      case 'Fail':
        output = await evaluate({ Error: state.Error, Cause: state.Cause }, { states })
        break
      default:
        throw new Error(`A ${state.Type} cannot be run here`)
    }
  }
  return { route, calls, output }
}

async function chosenRule({ Choices = [] }: State, states: object): Promise<{ Next: string } | undefined> {
  for (const rule of Choices) {
    const holds = await evaluate(rule.Condition, { states })
    if (typeof holds !== 'boolean') throw new Error(`Not true or false: ${rule.Condition}`)
    if (holds) return rule
  }
  return undefined
}

/** A state without Output puts out its result, or, having none, its input. */
function outputOf({ Output }: State, states: { input: unknown; result?: unknown }): Promise<unknown> {
  return Output === undefined ? Promise.resolve(states.result ?? states.input) : evaluate(Output, { states })
}

/** The value of a field with every expression in it replaced by what it yields. */
async function evaluate(template: unknown, bindings: Record<string, unknown>): Promise<unknown> {
  if (typeof template === 'string') {
    const source = expressionText(template)
    if (source === undefined) return template
    const value: unknown = await jsonata(source).evaluate(undefined, bindings)
    // As Step Functions does with States.QueryEvaluationError.
    if (value === undefined) throw new Error(`Yields nothing: ${source}`)
    // Arrays of jsonata carry hidden properties.
    return JSON.parse(JSON.stringify(value))
  }
  if (Array.isArray(template)) return Promise.all(template.map((item) => evaluate(item, bindings)))
  if (typeof template !== 'object' || template === null) return template
  const entries = Object.entries(template).map(async ([key, value]) => [key, await evaluate(value, bindings)])
  return Object.fromEntries(await Promise.all(entries))
}
