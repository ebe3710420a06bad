/**
 * How many events the states of a definition write to an execution's history, at most, which must stay below 25,000.
 * https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
 */
import { type Graph, type State, waysOutOf } from './definition.ts'

/** Of a state that is entered once. The items of a Map take the longest way each. */
export function eventsOfState(state: State, itemsPerMap: number): number {
  switch (state.Type) {
    case 'Task': {
      const tries = (state.Retry ?? []).reduce((sum, { MaxAttempts = 3 }) => sum + MaxAttempts, 1)
      // Entered and exited; scheduled, started and ended for each try.
      return 2 + 3 * tries
    }
    case 'Map': {
      if (state.ItemProcessor === undefined) throw new Error('A Map needs an ItemProcessor')
      // Entered, started, succeeded and exited; started and succeeded for each item.
      return 4 + itemsPerMap * (2 + eventsOfLongestWay(state.ItemProcessor, itemsPerMap))
    }
    case 'Choice':
    case 'Pass':
    case 'Wait':
    case 'Succeed':
    case 'Fail':
      return 2
    default:
      throw new Error(`The events of a ${state.Type} are not known here`)
  }
}

/** From the start of a graph, which must have no loops, to the end that is farthest in events. */
function eventsOfLongestWay(graph: Graph, itemsPerMap: number, from = graph.StartAt): number {
  const state = graph.States[from]
  if (state === undefined) throw new Error(`No state ${from}`)
  const onward = waysOutOf(state).map(({ to }) => eventsOfLongestWay(graph, itemsPerMap, to))
  return eventsOfState(state, itemsPerMap) + Math.max(0, ...onward)
}
