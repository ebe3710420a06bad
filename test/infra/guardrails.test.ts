import { Duration } from 'aws-cdk-lib'
import { describe, expect, test } from 'vitest'
import { orders } from '../../handlers/sources/orders.ts'
import { Guardrails } from '../../infra/guardrails/guardrails.ts'
import type { PipelineStack } from '../../infra/pipeline-stack.ts'
import { make, override, told } from './guardrails.ts'
import { stageOf, stages } from './synthesized.ts'

const days = Duration.days
const seconds = Duration.seconds

describe('the guardrails', () => {
  test.each(Object.values(stages))('let the stage $stage pass', (props) => {
    expect(make(props).stack.node.validate()).toEqual([])
  })

  test('tell all that is wrong at once, and nothing is synthesized', () => {
    const { app } = make({
      ...stageOf('prod'),
      batchingWindow: seconds(90),
      receivesBeforeDeadLetter: 5,
      transformInterval: Duration.minutes(30),
    })

    expect(() => app.synth()).toThrow(
      /Validation failed.*\n.*Ingestion\/IngestQueueMapping: .*\n.*Transform\/Project: .*\n.*Landing\/Queue, Landing\/ReplayQueue: /,
    )
  })

  test('look at the sources beside the stack', () => {
    const props = stageOf('prod')
    const { stack } = make(props)
    const wrong = { ...orders, prefix: 'orders', expectedEveryHours: 200 }

    expect(new Guardrails(stack, props, [wrong, { ...orders, name: 'late' }, orders]).validate()).toEqual([
      expect.stringMatching(/^Source orders: its prefix is 'orders', /),
      expect.stringMatching(/^Source orders: its prefix 'input\/orders\/' lies within/),
      expect.stringMatching(/^Source orders: a file is expected every 200 h, /),
    ])
  })

  test('cannot be passed by a number that is not known before the deployment', () => {
    const edit = override('Landing/Queue', 'VisibilityTimeout', { Ref: 'AWS::Region' })

    expect(() => told({}, edit)).toThrow(/Landing\/Queue: the guardrails cannot read it.*\n.*VisibilityTimeout/s)
  })
})

describe('a message', () => {
  test('is not received again while its batch may still be loaded', () => {
    expect(told({}, override('Landing/Queue', 'VisibilityTimeout', 414))).toEqual([
      "Landing/Queue: messages are hidden for 414 s, less than 6 x the function's timeout of 60 s plus the window of 55 s = " +
        '415 s, so a batch that is still being loaded would be received again. Leave the visibility timeout to landing.ts, or ' +
        'lower ingestTimeout to 59 s.',
    ])
    expect(told({}, override('Landing/Queue', 'VisibilityTimeout', 415))).toEqual([])
  })

  test('of either queue is hidden long enough for the function as it is, whoever changed it', () => {
    expect(told({}, override('Ingestion/Ingest', 'Timeout', 61))).toEqual([
      expect.stringMatching(
        /^Landing\/Queue, Landing\/ReplayQueue: messages are hidden for 415 s, .* = 421 s.* to 60 s\.$/,
      ),
    ])
  })

  test('outlives an hour without the database', () => {
    expect(told({ receivesBeforeDeadLetter: 9 })).toEqual([
      'Landing/Queue, Landing/ReplayQueue: a message is received 9 times, 415 s apart, for the last time after 3320 s, sooner ' +
        'than 3600 s, so an hour without the database would make a dead letter of everything. Raise ' +
        'receivesBeforeDeadLetter to 10.',
    ])
    expect(told({ receivesBeforeDeadLetter: 10 })).toEqual([])
  })

  test('may be given up sooner on the laptop, where a test makes the outage and does not wait for an hour', () => {
    const short = { ingestTimeout: seconds(5), batchingWindow: seconds(1), receivesBeforeDeadLetter: 3 }

    expect(make({ ...stageOf('local'), ...short }).stack.node.validate()).toEqual([])
  })

  test('that is dead is kept for longer than one that is not', () => {
    expect(told({ queueRetention: days(14) })).toEqual([
      expect.stringMatching(
        /^Landing\/Queue, Landing\/ReplayQueue: messages are kept for 14 days, and in Landing\/DeadLetterQueue for 14 days, which must be more: .* Lower queueRetention to 10 days/,
      ),
    ])
    expect(told({ deadLetterRetention: days(10) })).toEqual([
      expect.stringMatching(/Landing\/DeadLetterQueue for 10 days, .* Raise deadLetterRetention to 14 days/),
    ])
    expect(told({ queueRetention: days(13) })).toEqual([])
  })

  test('is loaded in less than the two minutes that are promised', () => {
    expect(told({ batchingWindow: seconds(60) })).toEqual([
      'Ingestion/IngestQueueMapping: a file may wait 60 s for its batch and 60 s for the function, 120 s in all, where 99 of ' +
        '100 are promised to be loaded in less than 120 s. Lower batchingWindow to 59 s.',
    ])
    expect(told({ batchingWindow: seconds(59) })).toEqual([])
    expect(told({ ingestTimeout: seconds(130) })).toEqual([
      expect.stringMatching(/185 s .* Lower ingestTimeout to 60 s\.$/),
    ])
  })

  test('of a replay may wait: nobody is promised when it is done', () => {
    const edit = (stack: PipelineStack) => {
      override('Ingestion/ReplayQueueMapping', 'MaximumBatchingWindowInSeconds', 300)(stack)
      override('Landing/ReplayQueue', 'VisibilityTimeout', 660)(stack)
    }

    expect(told({}, edit)).toEqual([])
  })
})

describe('a build of the marts', () => {
  test('is over when the next is due', () => {
    expect(told({ transformInterval: Duration.minutes(39) })).toEqual([
      'Transform/Project: a build may wait 10 min and run 30 min, 40 min in all, longer than the 39 min from one to the next, so ' +
        'slow ones would queue up for ever. Raise transformInterval to 40 min, or lower the timeouts in transform.ts.',
    ])
    expect(told({ transformInterval: Duration.minutes(40) })).toEqual([])
    expect(told({}, override('Transform/Project', 'TimeoutInMinutes', 51))).toEqual([
      expect.stringMatching(/61 min in all, longer than the 60 min .* Raise transformInterval to 61 min/),
    ])
  })
})
