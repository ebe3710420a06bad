/** Walks a definition as Step Functions would, with the results of its Tasks given. It refuses what it does not know. */
import { Attempts } from './attempts.ts'
import type { Graph, State } from './definition.ts'
import { type Bindings, chosenRule, type Exit, evaluate, leave } from './evaluate.ts'

/**
 * What the Tasks return, by state: a value, or a function of the arguments that returns or throws. The name of what it
 * throws is the name by which the error is retried and caught.
 */
export type Results = Readonly<Record<string, unknown>>

export interface Run {
  /** The states entered, in order. Each is a state transition, which is what Step Functions bills. */
  readonly route: readonly string[]
  /** What the Tasks were called with, in order, tries that failed included. */
  readonly calls: readonly { readonly state: string; readonly arguments: unknown }[]
  /** Of the last state; of a Fail its Error and Cause. */
  readonly output?: unknown
  /** Set when the execution failed at a Task, or at a Map that holds it. */
  readonly failure?: {
    readonly state: string
    readonly error: string
    /** Runs the state that failed again, and goes on. */
    readonly redrive: (results: Results) => Promise<Run>
  }
}

const ACCOUNT_OF_STATES = 'arn:aws:states:eu-central-1:123456789012'

/** @param name of the execution */
export const executionArnOf = (name: string): string => `${ACCOUNT_OF_STATES}:execution:pipeline:${name}`

/** @param name of the execution */
export async function run(definition: Graph, input: unknown, results: Results = {}, name = 'run-1'): Promise<Run> {
  const walk = async (from: Position, given: Results, redrives: number): Promise<Run> => {
    const Execution = { Id: executionArnOf(name), Name: name, Input: input }
    const context = {
      // Step Functions tells the count only to executions that were redriven.
      Execution: redrives === 0 ? Execution : { ...Execution, RedriveCount: redrives },
      StateMachine: { Id: `${ACCOUNT_OF_STATES}:stateMachine:pipeline` },
    }
    const walker = new Walker(given)
    const { route, calls } = walker
    try {
      return { route, calls, output: await walker.walk(definition, from, context) }
    } catch (error) {
      const at = walker.position
      if (!(error instanceof TaskFailed) || at === undefined) throw error
      const redrive = async (next: Results) => {
        // Only the iterations that failed would run again.
        if (definition.States[at.state]?.Type === 'Map') throw new Error('A Map cannot be redriven here')
        return await walk(at, next, redrives + 1)
      }
      return { route, calls, failure: { state: at.state, error: error.message, redrive } }
    }
  }
  return await walk({ state: definition.StartAt, input, variables: {} }, results, 0)
}

interface Position {
  readonly state: string
  readonly input: unknown
  readonly variables: Readonly<Record<string, unknown>>
}

/** Of a Task, neither retried away nor caught. Its message is the error's name. */
class TaskFailed extends Error {}

class Walker {
  readonly route: string[] = []
  readonly calls: { state: string; arguments: unknown }[] = []
  /** In the machine itself, not within a Map. */
  position: Position | undefined
  readonly #results: Results

  constructor(results: Results) {
    this.#results = results
  }

  async walk(graph: Graph, start: Position, context: object, isInner = false): Promise<unknown> {
    let { input, variables } = start
    for (let name: string | undefined = start.state; name !== undefined; ) {
      const state: State | undefined = graph.States[name]
      if (state === undefined) throw new Error(`No state ${name}`)
      if (!isInner) this.position = { state: name, input, variables }
      this.route.push(name)
      const exit: Exit = await this.#pass(name, state, { ...variables, states: { input, context } })
      input = exit.output
      variables = { ...variables, ...exit.assigns }
      name = exit.next
    }
    return input
  }

  async #pass(name: string, state: State, bindings: Bindings): Promise<Exit> {
    switch (state.Type) {
      case 'Choice': {
        const rule = await chosenRule(state, bindings)
        return rule === undefined ? await leave(state, state.Default, bindings) : await leave(rule, rule.Next, bindings)
      }
      case 'Task':
        return await this.#call(name, state, bindings)
      case 'Map':
        return await leave(state, state.Next, bindings, await this.#iterate(state, bindings))
      case 'Pass':
      case 'Wait':
      case 'Succeed':
        return await leave(state, state.Next, bindings)
      case 'Fail':
        return await leave({ Output: { Error: state.Error, Cause: state.Cause } }, undefined, bindings)
      default:
        throw new Error(`A ${state.Type} cannot be run here`)
    }
  }

  async #call(name: string, state: State, bindings: Bindings): Promise<Exit> {
    if (!(name in this.#results)) throw new Error(`No result was given for the Task ${name}`)
    const result = this.#results[name]
    const attempts = new Attempts(state)
    for (;;) {
      const given = await evaluate(state.Arguments, bindings)
      this.calls.push({ state: name, arguments: given })
      let error: Error
      try {
        const returned = typeof result === 'function' ? await result(given) : result
        return await leave(state, state.Next, bindings, returned)
      } catch (thrown) {
        // What bears no name of its own is a fault of the definition or of the test.
        if (!(thrown instanceof Error) || thrown.name === 'Error') throw thrown
        error = thrown
      }
      if (attempts.mayRetry(error.name)) continue
      const catcher = attempts.catcherOf(error.name)
      if (catcher === undefined) throw new TaskFailed(error.name)
      const errorOutput = { Error: error.name, Cause: error.message }
      return await leave(catcher, catcher.Next, { ...bindings, states: { ...bindings.states, errorOutput } })
    }
  }

  /** One item after the other, so that a run can be repeated. */
  async #iterate({ Items, ItemSelector, ItemProcessor }: State, bindings: Bindings): Promise<unknown[]> {
    const { states, ...variables } = bindings
    const items = await evaluate(Items, bindings)
    if (ItemProcessor === undefined || !Array.isArray(items)) throw new Error('A Map needs an ItemProcessor and Items')
    const outputs: unknown[] = []
    for (const [Index, Value] of items.entries()) {
      const context = { ...states.context, Map: { Item: { Index, Value } } }
      const selected = { ...bindings, states: { ...states, context } }
      const input = ItemSelector === undefined ? Value : await evaluate(ItemSelector, selected)
      outputs.push(await this.walk(ItemProcessor, { state: ItemProcessor.StartAt, input, variables }, context, true))
    }
    return outputs
  }
}
