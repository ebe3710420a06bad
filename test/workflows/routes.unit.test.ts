import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { pipelineInput } from '../../handlers/contract.ts'
import { CLAIM_PAGE, LISTED_FILES_SENT } from '../../handlers/limits.ts'
import { pipelineDefinition, placesOf, scopesOf } from './definition.ts'
import { examples } from './examples.ts'
import { eventsOfState } from './history.ts'
import { type Route, routes } from './routes.ts'
import { executionArnOf, type Run, run } from './run.ts'

/** Walks a route, and on from where it failed when it is one that is redriven. */
async function walk({ example, results, redriven }: Route): Promise<Run[]> {
  const first = await run(pipelineDefinition(), examples.get(example), results)
  if (redriven === undefined) return [first]
  expect(first.failure?.state).toBe(redriven.at)
  return [first, ...(first.failure ? [await first.failure.redrive(redriven.results)] : [])]
}

const byName = (name: string): Route => {
  const found = routes().find((route) => route.name.includes(name))
  if (found === undefined) throw new Error(`No route is named '${name}'`)
  return found
}

describe('the route', () => {
  test.each(routes())('$name', async (route) => {
    const runs = await walk(route)

    expect(runs.flatMap((each) => each.route)).toEqual(route.states)
    expect(runs.at(-1)?.failure).toBeUndefined()
  })

  test('of all routes together enters every state', () => {
    const states = scopesOf(pipelineDefinition())
      .flatMap(placesOf)
      .map(({ name }) => name)

    expect(new Set(routes().flatMap((route) => route.states))).toEqual(new Set(states))
  })
})

describe('an example', () => {
  test('is there for every route, and has one', () => {
    expect(new Set(routes().map(({ example }) => example))).toEqual(new Set(examples.keys()))
  })

  test.each([...examples])('%s is accepted by the contract, unless its trigger is unknown', (name, input) => {
    expect(pipelineInput.safeParse(input).success).toBe(name !== 'unknown-trigger')
  })
})

describe('a trigger', () => {
  test.each([
    ['that is misspelt', { trigger: 'bach', batchId: 7, poisonFileIds: [3] }, 'bach'],
    ['that is missing', {}, 'trigger'],
    ['that is no text', { trigger: { batch: true } }, 'batch'],
  ])('%s ends in UnknownTrigger, which says what it got', async (_, input, named) => {
    const { route, output } = await run(pipelineDefinition(), input)

    expect(route).toEqual(['ChooseRoute', 'UnknownTrigger'])
    expect(output).toEqual({ Error: 'UnknownTrigger', Cause: expect.stringContaining(named) })
  })

  test('is called known by UnknownTrigger when the contract has it, and only then', async () => {
    const { output } = await run(pipelineDefinition(), {})
    const { Cause } = z.object({ Cause: z.string() }).parse(output)
    const known = /Known: (.+)\.$/.exec(Cause)?.[1]?.split(', ')

    expect(known).toEqual(pipelineInput.options.map(({ shape }) => shape.trigger.value).toSorted())
  })
})

describe('a drain', () => {
  test('says to each function which execution and which round it is', async () => {
    const runs = await walk(byName('a redrive loads it'))
    const [first, redriven] = runs.map(({ calls }) =>
      calls.filter(({ state }) => state === 'RequireNoneRemain').map((call) => call.arguments),
    )

    const asked = { drain: 'run-1', executionArn: executionArnOf('run-1'), requireNoneRemain: true }
    expect(first).toMatchObject([{ Payload: { ...asked, round: 0 } }])
    expect(redriven).toMatchObject([{ Payload: { ...asked, round: 1 } }, { Payload: { ...asked, round: 1 } }])
  })

  test('publishes the notice that the function wrote', async () => {
    const [{ calls } = { calls: [] }] = await walk(byName('loads page by page'))

    expect(calls.find(({ state }) => state === 'PublishNotice')?.arguments).toEqual({
      TopicArn: '$' + '{NoticeTopicArn}',
      Subject: 'Sluice: 2 dead letters, none left',
      Message: '2 files',
    })
  })

  test('goes on elsewhere with the same state machine, by the same trigger, with the same drain', async () => {
    const [{ calls } = { calls: [] }] = await walk(byName('goes on elsewhere'))

    expect(calls.at(-1)).toEqual({
      state: 'ContinueElsewhere',
      arguments: {
        StateMachineArn: expect.stringMatching(/:stateMachine:pipeline$/),
        Input: { ...z.object({}).loose().parse(examples.get('dead-letters')), drain: 'run-1' },
      },
    })
  })

  test('tries a file four times for each kind of trouble, and a file that ends the function four times', async () => {
    const triesWith = async (error: string) => {
      const route = byName('what remains fails the drain')
      const LoadFile = () => {
        throw Object.assign(new Error(error), { name: error })
      }
      const [{ calls } = { calls: [] }] = await walk({ ...route, results: { ...route.results, LoadFile } })
      return calls.filter(({ state }) => state === 'LoadFile').length / 2
    }

    expect(await triesWith('LoadFailed')).toBe(4)
    expect(await triesWith('Sandbox.Timedout')).toBe(4)
  })

  test('fails at the Map by an error that nobody classified', async () => {
    const route = byName('loads page by page')
    const LoadFile = () => JSON.parse('{')

    const { failure } = await run(pipelineDefinition(), examples.get(route.example), { ...route.results, LoadFile })

    expect(failure).toMatchObject({ state: 'LoadDeadLetters', error: 'SyntaxError' })
  })
})

describe('the history', () => {
  const EVENTS_MAX = 25_000
  const { States } = pipelineDefinition()
  const eventsOf = (...names: string[]): number =>
    names.reduce((sum, name) => sum + eventsOfState(States[name] ?? { Type: 'none' }, CLAIM_PAGE), 0)
  const pages = Number(/\$pagesLoaded >= (\d+)/.exec(JSON.stringify(States.IsHistoryLong))?.[1])

  test('of a drain of as many pages as one execution loads has room, though every Task uses all its tries', () => {
    const perPage = eventsOf('ClaimDeadLetters', 'WhatWasClaimed', 'LoadDeadLetters', 'IsHistoryLong')
    const once = eventsOf('ChooseRoute', 'PublishNotice', 'RequireNoneRemain', 'ContinueElsewhere', 'Done')
    const room = EVENTS_MAX - pages * perPage - once
    // Entered, scheduled, started, succeeded, exited; and the Choice.
    const perCollecting = 5 + eventsOf('IsQueueDrained')

    expect(perPage).toBeLessThan(1_400)
    // Each collects for 50 s: half a day of collecting at one time.
    expect(room / perCollecting).toBeGreaterThan(500)
  })

  test('of a replay has room for the 2,500 pages that handlers/limits.ts says', () => {
    const perPage = 5 + eventsOf('IsReplaySent', 'WaitForNextPage')

    expect(2_500 * perPage).toBeLessThan(EVENTS_MAX)
  })

  test('of a reconciliation has room for 13 million files to load, and a hundred times for 9 million that are known', () => {
    const perTask = 5 + eventsOf('IsReconciled')
    const perFullTask = perTask + eventsOf('WaitForListedFiles')

    expect((13_000_000 / LISTED_FILES_SENT) * perFullTask).toBeLessThan(EVENTS_MAX)
    // 200 pages of 1,000 a Task.
    expect((9_000 / 200) * perTask * 75).toBeLessThan(EVENTS_MAX)
  })
})
