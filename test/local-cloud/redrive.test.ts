// A failed execution is redriven from where it failed, and its history tells what happened.

import {
  DescribeStateMachineForExecutionCommand,
  ExecutionDoesNotExist,
  ExecutionNotRedrivable,
  ListExecutionsCommand,
  RedriveExecutionCommand,
  StopExecutionCommand,
  UpdateStateMachineCommand,
} from '@aws-sdk/client-sfn'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { StateMachines } from './state-machines.ts'

let machines: StateMachines

beforeAll(async () => {
  machines = await StateMachines.start('redrive')
})
beforeEach(() => {
  machines.calls()
})
afterAll(() => machines.stop())

const redrive = (executionArn: string) => machines.states.send(new RedriveExecutionCommand({ executionArn }))

test('a failed Task runs again with its own input and variables, by the definition of the start', async () => {
  const repaired = machines.signal()
  const machine = await machines.create('First', {
    First: machines.task({ name: 'first' }, { Assign: { kept: 'variable' }, Output: { own: 'input' }, Next: 'Second' }),
    Second: machines.task(
      { name: 'second', until: repaired.path, errorName: 'BadItem', answer: '{% [$states.input, $kept] %}' },
      { Next: 'End' },
    ),
    End: {
      Type: 'Succeed',
      Output: { result: '{% $states.input %}', redrives: '{% $states.context.Execution.RedriveCount %}' },
    },
  })
  const arn = await machines.start(machine, { of: 'the execution' })
  const failed = await machines.ended(arn)
  const definition = JSON.stringify({ StartAt: 'Other', States: { Other: { Type: 'Succeed' } } })
  await machines.states.send(new UpdateStateMachineCommand({ stateMachineArn: machine, definition }))
  await redrive(arn)
  const failedAgain = await machines.ended(arn)
  repaired.give()
  const { redriveDate } = await redrive(arn)
  const { output, description } = await machines.ended(arn)

  expect(failed).toMatchObject({ status: 'FAILED', error: 'BadItem', description: { redriveCount: 0 } })
  expect(failedAgain.description).toMatchObject({ status: 'FAILED', redriveCount: 1, redriveStatus: 'REDRIVABLE' })
  expect(output).toEqual({ result: [{ own: 'input' }, 'variable'], redrives: 2 })
  expect(machines.calls()).toEqual(['first', 'second', 'second', 'second'])
  expect(description).toMatchObject({
    status: 'SUCCEEDED',
    redriveCount: 2,
    redriveDate,
    redriveStatus: 'NOT_REDRIVABLE',
    redriveStatusReason: 'Execution is SUCCEEDED and cannot be redriven',
  })
  expect(description.error).toBeUndefined()
  const { executions } = await machines.states.send(new ListExecutionsCommand({ stateMachineArn: machine }))
  expect(executions).toMatchObject([{ executionArn: arn, redriveCount: 2, redriveDate }])
  const ofStart = await machines.states.send(new DescribeStateMachineForExecutionCommand({ executionArn: arn }))
  expect(JSON.parse(ofStart.definition ?? '').StartAt).toBe('First')
})

test('a failed Map runs again only the iterations that did not succeed, from the state that failed', async () => {
  const repaired = machines.signal()
  const fails = '{% $states.input = "b" ? "BadItem" : null %}'
  const { executionArn, status } = await machines.run(
    'Each',
    {
      Each: {
        Type: 'Map',
        Items: '{% $states.input %}',
        MaxConcurrency: 1,
        ItemProcessor: {
          StartAt: 'Before',
          States: {
            Before: machines.task(
              { name: '{% "before " & $states.input %}' },
              { Output: '{% $states.input %}', Next: 'Do' },
            ),
            Do: machines.task({ name: '{% "do " & $states.input %}', until: repaired.path, errorName: fails }),
          },
        },
        End: true,
      },
    },
    ['a', 'b', 'c'],
  )
  const first = machines.calls()
  repaired.give()
  await redrive(executionArn)
  const redriven = await machines.ended(executionArn)

  expect(status).toBe('FAILED')
  expect(first).toEqual(['before a', 'do a', 'before b', 'do b'])
  expect(redriven.output).toEqual(['done', 'done', 'done'])
  expect(machines.calls()).toEqual(['do b', 'before c', 'do c'])
})

test('of a Parallel only the branch that failed runs again', async () => {
  const repaired = machines.signal()
  const branch = (name: string, payload: object) => ({
    StartAt: name,
    States: { [name]: machines.task({ name, ...payload }) },
  })
  const { executionArn } = await machines.run('Both', {
    Both: {
      Type: 'Parallel',
      Branches: [
        branch('left', {}),
        branch('right', { until: repaired.path, sleepMilliseconds: 300, errorName: 'BadItem' }),
      ],
      End: true,
    },
  })
  repaired.give()
  await redrive(executionArn)

  expect((await machines.ended(executionArn)).output).toEqual(['done', 'done'])
  expect(machines.calls().sort()).toEqual(['left', 'right', 'right'])
})

test('a stopped execution goes on at the state it was in', async () => {
  const repaired = machines.signal()
  const arn = await machines.start(
    await machines.create('First', {
      First: machines.task({ name: 'first' }, { Next: 'Second' }),
      Second: machines.task({ name: 'second', until: repaired.path, sleepMilliseconds: 900 }),
    }),
  )
  await expect.poll(async () => (await machines.history(arn)).length, { timeout: 5_000 }).toBe(9)
  await machines.states.send(new StopExecutionCommand({ executionArn: arn }))
  repaired.give()
  await redrive(arn)

  expect(await machines.ended(arn)).toMatchObject({ status: 'SUCCEEDED', output: 'done' })
  expect(machines.calls()).toEqual(['first', 'second', 'second'])
})

test('an execution that runs, succeeded or does not exist is not redrivable', async () => {
  const { executionArn } = await machines.run('End', { End: { Type: 'Succeed' } })
  const running = await machines.start(
    await machines.create('Wait', { Wait: { Type: 'Wait', Seconds: 30, End: true } }),
  )

  await expect(redrive(executionArn)).rejects.toThrow(ExecutionNotRedrivable)
  await expect(redrive(executionArn)).rejects.toThrow('Execution is SUCCEEDED and cannot be redriven')
  await expect(redrive(running)).rejects.toThrow('Execution is RUNNING and cannot be redriven')
  await expect(redrive(`${running}x`)).rejects.toThrow(ExecutionDoesNotExist)
})

test('the history tells of Tasks and their attempts, and of a redrive', async () => {
  const repaired = machines.signal()
  const { executionArn } = await machines.run('Do', {
    Do: machines.task(
      { until: repaired.path, errorName: 'BadItem' },
      { TimeoutSeconds: 5, Retry: [{ ErrorEquals: ['BadItem'], IntervalSeconds: 0, MaxAttempts: 1 }], End: true },
    ),
  })
  repaired.give()
  await redrive(executionArn)
  await machines.ended(executionArn)

  const events = await machines.history(executionArn)
  expect(events.map(({ type }) => type)).toEqual([
    'ExecutionStarted',
    'TaskStateEntered',
    ...['TaskScheduled', 'TaskStarted', 'TaskFailed'],
    ...['TaskScheduled', 'TaskStarted', 'TaskFailed'],
    'ExecutionFailed',
    'ExecutionRedriven',
    ...['TaskScheduled', 'TaskStarted', 'TaskSucceeded'],
    'TaskStateExited',
    'ExecutionSucceeded',
  ])
  expect(events.map(({ id }) => id)).toEqual(events.map((_, i) => i + 1))
  expect(events.map(({ previousEventId }) => previousEventId)).toEqual(events.map((_, i) => i))
  const task = { resourceType: 'lambda', resource: 'invoke' }
  expect(events[2]?.taskScheduledEventDetails).toMatchObject({ ...task, region: 'us-east-1', timeoutInSeconds: 5 })
  expect(JSON.parse(events[2]?.taskScheduledEventDetails?.parameters ?? '')).toMatchObject({ FunctionName: 'behave' })
  expect(events[3]?.taskStartedEventDetails).toEqual(task)
  expect(events[4]?.taskFailedEventDetails).toMatchObject({ ...task, error: 'BadItem' })
  expect(JSON.parse(events[4]?.taskFailedEventDetails?.cause ?? '')).toMatchObject({ errorMessage: 'as asked' })
  expect(events[9]?.executionRedrivenEventDetails).toEqual({ redriveCount: 1 })
})

test('the history tells what happened in each iteration of a Map', async () => {
  const { executionArn, status } = await machines.run(
    'Each',
    {
      Each: {
        Type: 'Map',
        Items: '{% $states.input %}',
        ItemProcessor: {
          StartAt: 'Is',
          States: {
            Is: {
              Type: 'Choice',
              Choices: [{ Condition: '{% $states.input > 9 %}', Next: 'TooMuch' }],
              Default: 'Fine',
            },
            TooMuch: { Type: 'Fail', Error: 'TooMuch' },
            Fine: { Type: 'Succeed' },
          },
        },
        Catch: [{ ErrorEquals: ['TooMuch'], Next: 'End' }],
        Next: 'End',
      },
      End: { Type: 'Succeed' },
    },
    [1, 10],
  )

  const events = await machines.history(executionArn)
  const before = (event: (typeof events)[number] | undefined) => events.find(({ id }) => id === event?.previousEventId)
  const iterations = events.filter(({ type }) => type === 'MapIterationStarted')
  const way = (last: (typeof events)[number] | undefined): (string | undefined)[] =>
    last === undefined || last.type === 'MapStateStarted' ? [] : [...way(before(last)), last.type]

  expect(status).toBe('SUCCEEDED')
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length)
  expect(events.find(({ mapStateStartedEventDetails }) => mapStateStartedEventDetails)).toMatchObject({
    type: 'MapStateStarted',
    mapStateStartedEventDetails: { length: 2 },
  })
  expect(iterations.map((event) => [before(event)?.type, event.mapIterationStartedEventDetails])).toEqual([
    ['MapStateStarted', { name: 'Each', index: 0 }],
    ['MapStateStarted', { name: 'Each', index: 1 }],
  ])
  const choice = ['MapIterationStarted', 'ChoiceStateEntered', 'ChoiceStateExited']
  const failed = events.find(({ type }) => type === 'MapIterationFailed')
  expect(failed?.mapIterationFailedEventDetails).toEqual({ name: 'Each', index: 1 })
  expect(way(failed)).toEqual([...choice, 'FailStateEntered', 'MapIterationFailed'])
  const ended = ['MapStateFailed', 'MapStateExited', 'SucceedStateEntered', 'SucceedStateExited', 'ExecutionSucceeded']
  expect(events.slice(-5).map(({ type }) => type)).toEqual(ended)
})

test('an execution ends at 25,000 events', async () => {
  const { executionArn, status, description } = await machines.run('Loop', {
    Loop: { Type: 'Pass', Next: 'Loop' },
  })

  expect(status).toBe('FAILED')
  expect(description.cause).toContain('25000')
  expect(await machines.history(executionArn)).toHaveLength(25_000)
  await expect(redrive(executionArn)).rejects.toThrow('Execution history event limit exceeded')
})
