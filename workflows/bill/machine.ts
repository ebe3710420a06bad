/** How many states an execution enters on its way: each is a transition, and paid for. */
import { z } from 'zod'
import type { Machine } from '../graph.ts'
import { resourcesOf, type Template } from './template.ts'

const stateMachine = z.looseObject({
  DefinitionString: z.string(),
  StateMachineType: z.enum(['STANDARD', 'EXPRESS']).default('STANDARD'),
  LoggingConfiguration: z.looseObject({ Level: z.string() }).optional(),
})

export interface Pipeline {
  readonly machine: Machine
  /** Everything that happens is logged, and not only what fails. */
  readonly logsAll: boolean
  readonly isStandard: boolean
}

/** The state machine of the stage, if it has one. */
export function pipelineOf(template: Template): Pipeline | undefined {
  const [found] = resourcesOf(template, 'AWS::StepFunctions::StateMachine', stateMachine)
  return (
    found && {
      machine: JSON.parse(found.DefinitionString),
      logsAll: found.LoggingConfiguration?.Level === 'ALL',
      isStandard: found.StateMachineType === 'STANDARD',
    }
  )
}

/**
 * States on the shortest way from start to end that begins as a trigger has it, and leads by a state if one is named and there is
 * one of that name.
 *
 * @throws when no way is there
 */
export function statesOnWay(machine: Machine, trigger: string, by?: string): number {
  const start = machine.StartAt
  const first = machine.States[start]
  const routes = first?.Choices?.filter(({ Condition = '' }) => Condition.includes(`trigger = '${trigger}'`))
  if (routes?.length === 0) throw new Error(`The state machine has no route for trigger '${trigger}'.`)
  const begins = routes?.map(({ Next }) => Next) ?? nextOf(machine, start)
  const has = by !== undefined && machine.States[by] !== undefined
  const after = has ? stepsTo(machine, [by], isEnd) : 0
  const steps = begins.length === 0 ? 0 : stepsTo(machine, begins, has ? (_, name) => name === by : isEnd)
  if (!Number.isFinite(steps + after)) throw new Error(`Trigger '${trigger}' leads to no end${has ? ` by ${by}` : ''}.`)
  return 1 + steps + (has ? after - 1 : 0)
}

/** How many states a breadth-first walk enters until one fits, the last included. */
function stepsTo(
  machine: Machine,
  begins: readonly string[],
  fits: (machine: Machine, name: string) => boolean,
): number {
  const seen = new Set<string>()
  let level = [...begins]
  for (let steps = 1; level.length > 0; steps++) {
    if (level.some((name) => fits(machine, name))) return steps
    for (const name of level) seen.add(name)
    level = level.flatMap((name) => nextOf(machine, name)).filter((name) => !seen.has(name))
  }
  return Number.POSITIVE_INFINITY
}

const isEnd = ({ States }: Machine, name: string): boolean =>
  States[name]?.Type === 'Succeed' || States[name]?.End === true

function nextOf({ States }: Machine, name: string): string[] {
  const { Next, Default, Choices = [] } = States[name] ?? {}
  return [Next, Default, ...Choices.map((choice) => choice.Next)].filter((next) => next !== undefined)
}
