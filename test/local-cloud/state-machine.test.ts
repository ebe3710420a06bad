// State machines on the laptop cloud do what those of AWS do, where stock ministack does not.

import {
  ExecutionAlreadyExists,
  ListExecutionsCommand,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn'
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { StateMachines } from './state-machines.ts'

let machines: StateMachines

beforeAll(async () => {
  machines = await StateMachines.start('states')
})
beforeEach(() => {
  machines.calls()
})
afterAll(() => machines.stop())

test('branches of a Parallel get its Arguments and keep their variables to themselves; it has Output and Assign', async () => {
  const branch = (name: string, factor: number) => ({
    StartAt: name,
    States: {
      [name]: { Type: 'Pass', Assign: { mine: `{% $states.input.n * ${factor} %}` }, Next: `${name}Out` },
      [`${name}Out`]: { Type: 'Pass', Output: '{% [$mine, $outer] %}', End: true },
    },
  })

  const { output } = await machines.run(
    'Begin',
    {
      Begin: { Type: 'Pass', Assign: { outer: 'outer', mine: 0 }, Next: 'Both' },
      Both: {
        Type: 'Parallel',
        Arguments: { n: '{% $states.input.n + 1 %}' },
        Branches: [branch('Twice', 2), branch('Thrice', 3)],
        Output: '{% $merge([$states.input, { "results": $states.result }]) %}',
        Assign: { count: '{% $count($states.result) %}' },
        Next: 'End',
      },
      End: { Type: 'Succeed', Output: { kept: '{% $states.input %}', mine: '{% $mine %}', count: '{% $count %}' } },
    },
    { n: 4 },
  )

  const results = [
    [10, 'outer'],
    [15, 'outer'],
  ]
  expect(output).toEqual({ kept: { n: 4, results }, mine: 0, count: 2 })
})

test('a Map selects its items, catches inside, and an error that is not caught inside is caught on it', async () => {
  const items = (inner: object) => ({
    Type: 'Map',
    Items: '{% $states.input.names %}',
    ItemSelector: { name: '{% $states.context.Map.Item.Value %}', index: '{% $states.context.Map.Item.Index %}' },
    MaxConcurrency: 2,
    ItemProcessor: { StartAt: 'Do', States: { Do: inner, Bad: { Type: 'Pass', Output: 'bad', End: true } } },
  })
  const failing = { errorName: '{% $states.input.name = "b" ? "BadItem" : null %}', answer: '{% $states.input %}' }

  const { output } = await machines.run(
    'Caught',
    {
      Caught: {
        ...items(machines.task(failing, { Catch: [{ ErrorEquals: ['BadItem'], Next: 'Bad' }], End: true })),
        Assign: { first: '{% $states.result %}' },
        Output: '{% $states.input %}',
        Next: 'Thrown',
      },
      Thrown: {
        ...items(machines.task(failing)),
        Catch: [{ ErrorEquals: ['BadItem'], Output: '{% $states.errorOutput.Error %}', Next: 'End' }],
        Next: 'Never',
      },
      Never: { Type: 'Fail' },
      End: { Type: 'Succeed', Output: ['{% $first %}', '{% $states.input %}'] },
    },
    { names: ['a', 'b', 'c'] },
  )

  expect(output).toEqual([[{ name: 'a', index: 0 }, 'bad', { name: 'c', index: 2 }], 'BadItem'])
})

test('a loop counts with variables, and the expressions of one Assign see what was before it', async () => {
  const { output } = await machines.run('Begin', {
    Begin: { Type: 'Pass', Assign: { round: 0, last: -1 }, Next: 'Loop' },
    Loop: { Type: 'Pass', Assign: { round: '{% $round + 1 %}', last: '{% $round %}' }, Next: 'More' },
    More: {
      Type: 'Choice',
      Choices: [{ Condition: '{% $round < 3 %}', Next: 'Loop' }],
      Default: 'End',
      Output: { last: '{% $last %}' },
    },
    End: { Type: 'Succeed', Output: { round: '{% $round %}', input: '{% $states.input %}' } },
  })

  expect(output).toEqual({ round: 3, input: { last: 2 } })
})

test.each([
  ['throws an error', { errorName: 'BadItem' }, 60, 'BadItem', 'as asked'],
  ['ends its process', { exitCode: 3 }, 60, 'Runtime.ExitError', 'Runtime exited with error: exit status 3'],
  [
    'exceeds its own timeout',
    { sleepMilliseconds: 5_000 },
    60,
    'Sandbox.Timedout',
    'Task timed out after 1.00 seconds',
  ],
  ['exceeds the TimeoutSeconds of its Task', { sleepMilliseconds: 900, until: 'never' }, 0.2, 'States.Timeout', ''],
])('a function that %s has an error of its own name to catch', async (_, payload, TimeoutSeconds, name, cause) => {
  const { executionArn, output } = await machines.run('Do', {
    Do: machines.task(payload, {
      TimeoutSeconds,
      Catch: [{ ErrorEquals: [name], Output: '{% $states.errorOutput %}', Next: 'Caught' }],
      End: true,
    }),
    Caught: { Type: 'Succeed' },
  })

  expect(output.Error).toBe(name)
  expect(output.Cause).toContain(cause)
  const type = name === 'States.Timeout' ? 'TaskTimedOut' : 'TaskFailed'
  expect((await machines.history(executionArn)).map((event) => event.type)).toContain(type)
})

test('a retry waits no longer than MaxDelaySeconds', async () => {
  const Retry = [{ ErrorEquals: ['BadItem'], IntervalSeconds: 50, MaxDelaySeconds: 0.1, MaxAttempts: 2 }]

  const { status } = await machines.run('Do', {
    Do: machines.task({ name: 'try', errorName: 'BadItem' }, { Retry, End: true }),
  })

  expect(status).toBe('FAILED')
  expect(machines.calls()).toEqual(['try', 'try', 'try'])
})

test('a failed execution has an error and no output', async () => {
  const { description } = await machines.run('Bad', { Bad: { Type: 'Fail', Error: 'Bad', Cause: 'because' } })

  expect(description).toMatchObject({ status: 'FAILED', error: 'Bad', cause: 'because', redriveStatus: 'REDRIVABLE' })
  expect(description.output).toBeUndefined()
})

test('an output of more than 256 KiB ends the execution, and States.ALL does not catch it', async () => {
  const { status, error } = await machines.run('Do', {
    Do: machines.task(
      { answer: '{% $pad("", 262145, "x") %}' },
      { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Caught' }], End: true },
    ),
    Caught: { Type: 'Succeed' },
  })

  expect({ status, error }).toEqual({ status: 'FAILED', error: 'States.DataLimitExceeded' })
})

test('an execution ends at the TimeoutSeconds of its definition', async () => {
  const wait = { Wait: { Type: 'Wait', Seconds: 30, End: true } }

  const { executionArn, description } = await machines.run('Wait', wait, {}, { TimeoutSeconds: 1 })

  expect(description).toMatchObject({ status: 'TIMED_OUT', redriveStatus: 'REDRIVABLE' })
  expect((await machines.history(executionArn)).at(-1)?.type).toBe('ExecutionTimedOut')
})

test('a stopped execution does nothing more', async () => {
  const arn = await machines.start(
    await machines.create('First', {
      First: machines.task({ name: 'first', sleepMilliseconds: 500 }, { Next: 'Second' }),
      Second: machines.task({ name: 'second' }),
    }),
  )
  await expect.poll(() => machines.calls(), { timeout: 5_000 }).toEqual(['first'])
  await machines.states.send(new StopExecutionCommand({ executionArn: arn, error: 'Enough', cause: 'by hand' }))
  const before = await machines.history(arn)
  await new Promise((done) => setTimeout(done, 700))

  expect(await machines.history(arn)).toEqual(before)
  expect(before.at(-1)?.type).toBe('ExecutionAborted')
  expect(await machines.describe(arn)).toMatchObject({ status: 'ABORTED', error: 'Enough', cause: 'by hand' })
  expect(machines.calls()).toEqual([])
})

test('the same name and input while it runs is the same execution; anything else exists already', async () => {
  const machine = await machines.create('Wait', { Wait: { Type: 'Wait', Seconds: 1, End: true } })
  const start = (input: string) =>
    machines.states.send(new StartExecutionCommand({ stateMachineArn: machine, name: 'once', input }))

  const first = await start('{"n":1}')
  const again = await start('{"n":1}')

  expect(again.executionArn).toBe(first.executionArn)
  expect(again.startDate).toEqual(first.startDate)
  await expect(start('{"n":2}')).rejects.toThrow(ExecutionAlreadyExists)
  await machines.ended(first.executionArn ?? '')
  await expect(start('{"n":1}')).rejects.toThrow(ExecutionAlreadyExists)
})

test.each([
  ['arn:aws:states:::states:startExecution', 'StepFunctions.ExecutionAlreadyExistsException'],
  ['arn:aws:states:::aws-sdk:sfn:startExecution', 'Sfn.ExecutionAlreadyExistsException'],
])('%s starts an execution and goes on', async (Resource, errorOfSecond) => {
  const child = await machines.create('Out', { Out: { Type: 'Succeed', Output: '{% $states.input.n + 1 %}' } })
  const isOptimized = Resource.endsWith('states:startExecution')
  const start = {
    Type: 'Task',
    Resource,
    Arguments: {
      StateMachineArn: child,
      Name: '{% $states.context.Execution.Name & "-child" %}',
      Input: isOptimized ? { n: '{% $states.input.n %}' } : '{% $string({ "n": $states.input.n }) %}',
    },
  }

  const { output } = await machines.run(
    'Start',
    {
      Start: {
        ...start,
        Assign: { arn: '{% $states.result.ExecutionArn %}' },
        Output: '{% $states.input %}',
        Next: 'End',
      },
      End: { Type: 'Succeed', Output: '{% $arn %}' },
    },
    { n: 1 },
  )
  const second = await machines.run(
    'Start',
    {
      Start: { ...start, Output: '{% $states.input %}', Next: 'Again' },
      Again: { ...start, Arguments: { ...start.Arguments, Input: isOptimized ? { n: 9 } : '{"n":9}' }, End: true },
    },
    { n: 1 },
  )

  expect((await machines.ended(output)).output).toBe(2)
  expect(second.error).toBe(errorOfSecond)
})

test('Tasks talk to SQS and SNS', async () => {
  const queue = new SQSClient(machines.client)
  const { QueueUrl } = await queue.send(new CreateQueueCommand({ QueueName: 'spoken-to' }))
  const sqs = (action: string, Arguments: object, fields: object) => ({
    Type: 'Task',
    Resource: `arn:aws:states:::aws-sdk:sqs:${action}`,
    Arguments: { QueueUrl, ...Arguments },
    ...fields,
  })

  const { output, description } = await machines.run('Depth', {
    Depth: sqs(
      'getQueueAttributes',
      { AttributeNames: ['ApproximateNumberOfMessages'] },
      { Assign: { depth: '{% $number($states.result.Attributes.ApproximateNumberOfMessages) %}' }, Next: 'Send' },
    ),
    Send: sqs('sendMessage', { MessageBody: 'by SDK' }, { Next: 'Take' }),
    Take: sqs(
      'receiveMessage',
      { MaxNumberOfMessages: 10 },
      { Assign: { taken: '{% $states.result.Messages %}' }, Next: 'Delete' },
    ),
    Delete: sqs('deleteMessage', { ReceiptHandle: '{% $taken[0].ReceiptHandle %}' }, { Next: 'Optimized' }),
    Optimized: {
      Type: 'Task',
      Resource: 'arn:aws:states:::sqs:sendMessage',
      Arguments: { QueueUrl, MessageBody: { depth: '{% $depth %}' } },
      Next: 'Topic',
    },
    Topic: {
      Type: 'Task',
      Resource: 'arn:aws:states:::aws-sdk:sns:createTopic',
      Arguments: { Name: 'spoken-to' },
      Assign: { topic: '{% $states.result.TopicArn %}' },
      Next: 'Subscribe',
    },
    Subscribe: {
      Type: 'Task',
      Resource: 'arn:aws:states:::aws-sdk:sns:subscribe',
      Arguments: {
        TopicArn: '{% $topic %}',
        Protocol: 'sqs',
        Endpoint: 'arn:aws:sqs:us-east-1:000000000000:spoken-to',
      },
      Next: 'Publish',
    },
    Publish: {
      Type: 'Task',
      Resource: 'arn:aws:states:::sns:publish',
      Arguments: { TopicArn: '{% $topic %}', Subject: 'hello', Message: { taken: '{% $taken.Body %}' } },
      End: true,
    },
  })
  const { Messages = [] } = await queue.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }))

  expect(description.cause).toBeUndefined()
  expect(output.MessageId).toMatch(/^[\w-]{36}$/)
  const [depth, notification] = Messages.map(({ Body = '' }) => JSON.parse(Body))
  expect(depth).toEqual({ depth: 0 })
  expect(notification).toMatchObject({ Subject: 'hello' })
  expect(JSON.parse(notification.Message)).toEqual({ taken: 'by SDK' })
})

test('executions are listed by their status', async () => {
  const { executionArn } = await machines.run('Bad', { Bad: { Type: 'Fail' } })
  const list = async (statusFilter: 'FAILED' | 'PENDING_REDRIVE') =>
    (await machines.states.send(new ListExecutionsCommand({ stateMachineArn: machineOf(executionArn), statusFilter })))
      .executions

  expect(await list('FAILED')).toMatchObject([{ executionArn, status: 'FAILED', redriveCount: 0 }])
  expect(await list('PENDING_REDRIVE')).toEqual([])
})

function machineOf(executionArn: string): string {
  return executionArn.replace(':execution:', ':stateMachine:').split(':').slice(0, 7).join(':')
}
