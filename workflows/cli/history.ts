/** An execution's history, told as the states it went through. Pure. */
import type { HistoryEvent } from '@aws-sdk/client-sfn'

/** One visit to a state; of the states inside a Map, all visits together. */
export interface StateVisit {
  readonly name: string
  readonly enteredAt: Date
  /** Null while it runs, and when it failed. */
  readonly exitedAt: Date | null
  /** How often its work was begun: 1, and 1 more for each retry. Of states without work 0. */
  readonly attempts: number
  readonly inputBytes: number
  readonly outputBytes: number | null
  /** The last error, whether a retry mended it or not. */
  readonly error: { readonly name: string; readonly cause: string } | null
  /** Inside a Map: how many iterations entered it. */
  readonly iterations: number | null
}

type Draft = { -readonly [Field in keyof StateVisit]: StateVisit[Field] }

/** Tells a history, whole and in the order in which AWS gives it, as visits in the order in which they began. */
export function tellHistory(events: readonly HistoryEvent[]): StateVisit[] {
  const visits: Draft[] = []
  let current: Draft | undefined
  /** The Map that is being run, and what is inside it, by name. */
  let map: { visit: Draft; inside: Map<string, Draft> } | undefined

  for (const event of events) {
    const type = event.type ?? ''
    const entered = event.stateEnteredEventDetails
    const exited = event.stateExitedEventDetails
    if (entered !== undefined && map !== undefined) {
      current = enterInside(map.inside, visits, entered.name ?? '', event, entered.input)
    } else if (entered !== undefined) {
      current = startVisit(entered.name ?? '', event, entered.input)
      visits.push(current)
      if (type === 'MapStateEntered') map = { visit: current, inside: new Map() }
    } else if (exited !== undefined) {
      const visit = map?.inside.get(exited.name ?? '') ?? visits.findLast(({ name }) => name === exited.name)
      if (visit !== undefined) {
        visit.exitedAt = event.timestamp ?? null
        visit.outputBytes = (visit.outputBytes ?? 0) + sizeOf(exited.output)
      }
      if (type === 'MapStateExited') map = undefined
    } else if (type === 'TaskScheduled' || type === 'LambdaFunctionScheduled') {
      if (current !== undefined) current.attempts++
    } else if (type === 'ExecutionRedriven') {
      map = undefined
    }
    const failure = errorOf(event)
    if (failure !== null && current !== undefined) current.error = failure
  }
  return visits
}

function startVisit(name: string, event: HistoryEvent, input: string | undefined): Draft {
  return {
    name,
    enteredAt: event.timestamp ?? new Date(0),
    exitedAt: null,
    attempts: 0,
    inputBytes: sizeOf(input),
    outputBytes: null,
    error: null,
    iterations: null,
  }
}

function enterInside(
  inside: Map<string, Draft>,
  visits: Draft[],
  name: string,
  event: HistoryEvent,
  input: string | undefined,
): Draft {
  const known = inside.get(name)
  if (known !== undefined) {
    known.iterations = (known.iterations ?? 0) + 1
    known.inputBytes += sizeOf(input)
    return known
  }
  const visit = { ...startVisit(name, event, input), iterations: 1 }
  inside.set(name, visit)
  visits.push(visit)
  return visit
}

const sizeOf = (text: string | undefined): number => Buffer.byteLength(text ?? '')

/** Of an event that says that something went wrong. */
function errorOf(event: HistoryEvent): StateVisit['error'] {
  const details =
    event.taskFailedEventDetails ??
    event.taskTimedOutEventDetails ??
    event.lambdaFunctionFailedEventDetails ??
    event.lambdaFunctionTimedOutEventDetails ??
    event.executionFailedEventDetails ??
    event.executionTimedOutEventDetails ??
    event.executionAbortedEventDetails
  if (details === undefined) return null
  return { name: details.error ?? String(event.type), cause: inWords(details.cause ?? '') }
}

/** The message in what a Lambda function's failure gives as its cause: JSON with a stack trace. */
function inWords(cause: string): string {
  try {
    const parsed: unknown = JSON.parse(cause)
    if (typeof parsed === 'object' && parsed !== null && 'errorMessage' in parsed) return String(parsed.errorMessage)
  } catch {
    // Not JSON: it is in words already.
  }
  return cause
}
