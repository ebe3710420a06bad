/**
 * What a state machine must keep to and asl-validator does not look at: mistakes that Step Functions reports only when an
 * execution gets there, and Sluice's own rules on timeouts, retries and catching.
 */
import {
  type Place,
  parseDefinition,
  placesOf,
  type Retrier,
  reachableFrom,
  type Scope,
  scopesOf,
  waysOutOf,
} from './definition.ts'
import { expressionsOf, isBuiltIn, type References, referencesOf } from './expressions.ts'
import { ARGUMENTS_BY_RESOURCE, unknownFields, unknownFieldsOf, unknownFieldsOfState } from './fields.ts'

/** Functions that Step Functions adds to JSONata. https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html */
const STEP_FUNCTIONS_FUNCTIONS = ['partition', 'range', 'hash', 'random', 'uuid', 'parse']

/** What `$states` has everywhere; `result` and `errorOutput` depend on the place. */
const STATES_FIELDS = ['input', 'context']

const TYPES_WITH_RESULT = ['Task', 'Map', 'Parallel']

/** Errors that stand for nearly any error: to catch one of them is to catch what nobody has classified. */
const UNCLASSIFIED_ERRORS = ['States.ALL', 'States.TaskFailed']

const SECONDS_OF: Readonly<Record<string, number>> = { second: 1, minute: 60, hour: 3_600 }

/** Errors that a service's API gives to the call, as in `CodeBuild.SdkClientException`. */
const isErrorOfCall = (error: string): boolean => /^(?!States|Lambda|Runtime|Sandbox)[A-Z]\w+\.\w+$/.test(error)

/**
 * The longest that a Task can take with all its tries: each until its timeout, and each wait in full. A try that ends when
 * the call is refused takes no time.
 */
function totalSeconds(timeoutSeconds: number, retriers: readonly Retrier[]): number {
  // The defaults are Step Functions' own.
  const perRetrier = retriers.map((retrier) => {
    const { ErrorEquals, IntervalSeconds = 1, MaxAttempts = 3, BackoffRate = 2, MaxDelaySeconds } = retrier
    const trySeconds = ErrorEquals.every(isErrorOfCall) ? 0 : timeoutSeconds
    const waits = Array.from({ length: MaxAttempts }, (_, attempt) =>
      Math.min(IntervalSeconds * BackoffRate ** attempt, MaxDelaySeconds ?? Number.POSITIVE_INFINITY),
    )
    return waits.reduce((total, wait) => total + wait + trySeconds, 0)
  })
  return perRetrier.reduce((total, seconds) => total + seconds, timeoutSeconds)
}

type Messages = string[]
type Rule = (place: Place) => Messages | Promise<Messages>

/** What each expression of a state refers to, with the fields that lead to it. */
const referencesIn = ({ state }: Place): { path: readonly string[]; references: References }[] =>
  expressionsOf(state).map(({ source, path }) => ({ path, references: referencesOf(source) }))

/** Variables that may have been assigned when the state starts, in its own scope or in one around it. */
function variablesBefore({ scope, name }: Place): string[] {
  const own = placesOf(scope)
    .flatMap(({ state }) => waysOutOf(state))
    .filter(({ to }) => reachableFrom(scope.graph, [to]).has(name))
    .flatMap(({ assigns }) => assigns)
  return [...own, ...(scope.holder && !isDistributed(scope) ? variablesBefore(scope.holder) : [])]
}

/** A distributed Map runs its items as executions of their own, which see no variables from outside. */
function isDistributed({ graph }: Scope): boolean {
  return graph.ProcessorConfig?.Mode === 'DISTRIBUTED'
}

const isTask = ({ state }: Place): boolean => state.Type === 'Task'

/** Rules by name. Each looks at one state and says what is wrong with it and what to do. */
const rules = {
  'undefined-variable': async (place) => {
    const known = [...STEP_FUNCTIONS_FUNCTIONS, ...variablesBefore(place)]
    const used = referencesIn(place).flatMap(({ references }) => [...references.variables])
    const unknown = [...new Set(used)].filter((name) => !known.includes(name))
    const undefinedOnes = await Promise.all(unknown.map(async (name) => ((await isBuiltIn(name)) ? [] : [name])))
    return undefinedOnes.flat().map((name) => `$${name} is no function and no state before this one assigns it.`)
  },

  'bare-name': (place) =>
    referencesIn(place)
      .flatMap(({ references }) => [...references.bareNames])
      .map((name) => `${name} finds nothing, since expressions have no input of their own. Write $states.input.`),

  'states-field': (place) =>
    referencesIn(place)
      .flatMap(({ references }) => [...references.statesFields])
      .filter((field) => ![...STATES_FIELDS, 'result', 'errorOutput'].includes(field))
      .map((field) => `$states has no field ${field}. Name one of ${STATES_FIELDS.join(', ')}, result, errorOutput.`),

  'result-too-early': (place) =>
    referencesIn(place)
      .filter(({ references }) => references.statesFields.has('result'))
      .filter(({ path: [field = ''] }) => {
        const hasResult = TYPES_WITH_RESULT.includes(place.state.Type) && ['Output', 'Assign'].includes(field)
        return !hasResult
      })
      .map(
        ({ path }) => `${path.join('.')} reads $states.result. Only Output and Assign of a Task, Map or Parallel can.`,
      ),

  'error-output-outside-catch': (place) =>
    referencesIn(place)
      .filter(({ path, references }) => references.statesFields.has('errorOutput') && path[0] !== 'Catch')
      .map(({ path }) => `${path.join('.')} reads $states.errorOutput. Only Output and Assign of a Catch can.`),

  eval: (place) =>
    referencesIn(place)
      .filter(({ references }) => references.variables.has('eval'))
      .map(({ path }) => `${path.join('.')} uses $eval, which Step Functions refuses.`),

  'all-not-alone-and-last': ({ state }) =>
    [state.Retry ?? [], state.Catch ?? []].flatMap((list) =>
      list
        .filter(({ ErrorEquals }) => ErrorEquals.includes('States.ALL'))
        .filter((entry) => entry.ErrorEquals.length > 1 || entry !== list.at(-1))
        .map(
          () => 'States.ALL must stand alone in its entry and in the last one: Step Functions refuses it elsewhere.',
        ),
    ),

  'unknown-field': ({ scope, name, state }) => {
    const graphPart = scope.holder === undefined ? 'machine' : 'branch'
    const perPart = (['Retry', 'Catch', 'Choices'] as const).flatMap((part) =>
      (state[part] ?? []).flatMap((entry) => unknownFieldsOf(part, entry).map((message) => `${part}: ${message}`)),
    )
    // Said once for each graph, at its first state.
    const ofGraph = name === scope.graph.StartAt ? unknownFieldsOf(graphPart, scope.graph) : []
    return [...ofGraph.map((message) => `${graphPart}: ${message}`), ...unknownFieldsOfState(state), ...perPart]
  },

  'unknown-resource': (place) => {
    if (!isTask(place)) return []
    const { Resource = '', Arguments = {} } = place.state
    const known = ARGUMENTS_BY_RESOURCE[Resource]
    if (known !== undefined) return unknownFields(Arguments, known).map((message) => `Arguments: ${message}`)
    return [`Resource is '${Resource}', which none of the known is: ${Object.keys(ARGUMENTS_BY_RESOURCE).join(', ')}.`]
  },

  'task-timeout': (place) =>
    isTask(place) && typeof place.state.TimeoutSeconds !== 'number'
      ? ['a Task needs TimeoutSeconds, a number: without it, it waits for a year.']
      : [],

  'task-retry': (place) =>
    isTask(place) && !place.state.Retry?.length ? ['a Task needs Retry: every service fails now and then.'] : [],

  'task-comment': (place) =>
    isTask(place) && !place.state.Comment ? ['a Task needs a Comment that states its total time and why.'] : [],

  'map-concurrency': ({ state }) =>
    state.Type === 'Map' && typeof state.MaxConcurrency !== 'number'
      ? ['a Map needs MaxConcurrency, a number: without it, all items come at once.']
      : [],

  'retry-jitter': ({ state }) =>
    (state.Retry ?? [])
      .filter(({ JitterStrategy }) => JitterStrategy !== 'FULL')
      .map(() => "Retry needs JitterStrategy 'FULL', or all that failed together comes back together."),

  'retry-max-delay': ({ state }) =>
    (state.Retry ?? [])
      .filter(({ MaxDelaySeconds }) => MaxDelaySeconds === undefined)
      .map(() => 'Retry needs MaxDelaySeconds: doubled waits grow past all patience.'),

  'retry-total': ({ state: { Comment = '', TimeoutSeconds, Retry } }) => {
    // What is missing altogether, other rules say.
    if (!Retry?.length || typeof TimeoutSeconds !== 'number' || Comment === '') return []
    const total = totalSeconds(TimeoutSeconds, Retry)
    const [, number, unit = ''] = /\bafter (\d+) (second|minute|hour)s?\b/.exec(Comment) ?? []
    if (number === undefined) return [`its tries take ${total} s in all: say in Comment 'after <n> minutes'.`]
    const stated = Number(number)
    const actual = Math.ceil(total / (SECONDS_OF[unit] ?? 1))
    return stated === actual ? [] : [`Comment says after ${stated} ${unit}s, its tries take ${total} s in all.`]
  },

  'catch-unclassified': ({ state }) =>
    (state.Catch ?? [])
      .flatMap(({ ErrorEquals }) => ErrorEquals)
      .filter((error) => UNCLASSIFIED_ERRORS.includes(error))
      .map(
        (error) =>
          `Catch of ${error}: catch errors by name. All others must fail the Task, so that Redrive repeats it.`,
      ),

  'fail-after-catch': ({ scope, state }) =>
    [
      ...reachableFrom(
        scope.graph,
        (state.Catch ?? []).map(({ Next }) => Next),
      ),
    ]
      .filter((name) => scope.graph.States[name]?.Type === 'Fail')
      .map((name) => `Catch leads to ${name}, a Fail: Redrive would start there and fail again.`),
} satisfies Record<string, Rule>

export type RuleName = keyof typeof rules

export const ruleNames = Object.keys(rules) as RuleName[]

export interface Finding {
  readonly rule: RuleName
  /** `<state>: <what is wrong, and what to do>`. */
  readonly message: string
}

/** All that is wrong with a definition, which must be one that asl-validator lets pass. */
export async function lint(definition: unknown): Promise<Finding[]> {
  const places = scopesOf(parseDefinition(definition)).flatMap(placesOf)
  const findings = places.flatMap((place) =>
    ruleNames.map(async (rule) =>
      (await rules[rule](place)).map((message) => ({
        rule,
        message: `${place.scope.prefix}${place.name}: ${message}`,
      })),
    ),
  )
  return (await Promise.all(findings)).flat()
}
