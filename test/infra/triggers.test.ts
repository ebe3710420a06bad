import { describe, expect, test } from 'vitest'
import { pipelineInput } from '../../handlers/contract.ts'
import { examples } from '../workflows/examples.ts'
import { at, ofType, type Resource, readable } from './synthesized.ts'

const rules = ofType('AWS::Events::Rule')
const schedules = ofType('AWS::Scheduler::Schedule')
const alarm = at('Triggers/DeadLettersAlarm')

/** The one rule that is for events of this kind. */
function ruleFor(detailType: string): Resource {
  const [found, ...others] = rules.filter(({ properties }) => properties.EventPattern['detail-type'][0] === detailType)
  if (found === undefined || others.length > 0) throw new Error(`Not one rule for ${detailType}`)
  return found
}

/** Everything that is started by itself, and with what. */
const targets: Resource['properties'][] = [
  ...rules.flatMap(({ properties }) => properties.Targets),
  ...schedules.map(({ properties }) => properties.Target),
]
const starts = targets.filter(({ Arn }) => readable(Arn) === 'Orchestration/Pipeline')

describe('the pipeline', () => {
  test('is started with inputs that its contract accepts', () => {
    expect(starts).toHaveLength(4)
    for (const { Input } of starts) expect(pipelineInput.parse(JSON.parse(Input))).toEqual(JSON.parse(Input))
  })
})

describe('dead letters', () => {
  test('raise an alarm within a minute, from the first one on', () => {
    expect(readable(alarm.properties.Dimensions[0].Value)).toBe('Landing/DeadLetterQueue')
    expect(alarm.properties).toMatchObject({
      Namespace: 'AWS/SQS',
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Statistic: 'Maximum',
      Period: 60,
      EvaluationPeriods: 1,
      Threshold: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      // Where nothing is measured, nothing is dead.
      TreatMissingData: 'notBreaching',
    })
  })

  test('of every queue go where the alarm looks', () => {
    const deadLetterQueues = ofType('AWS::SQS::Queue').flatMap(
      ({ properties }) => properties.RedrivePolicy?.deadLetterTargetArn ?? [],
    )

    expect(new Set(deadLetterQueues.map(readable))).toEqual(new Set([readable(alarm.properties.Dimensions[0].Value)]))
  })

  test('start a drain by their alarm', () => {
    const { EventPattern, Targets, State } = ruleFor('CloudWatch Alarm State Change').properties

    expect(State).toBe('ENABLED')
    expect(EventPattern.source).toEqual(['aws.cloudwatch'])
    expect(EventPattern.resources.map(readable)).toEqual([alarm.path])
    expect(EventPattern.detail).toEqual({ state: { value: ['ALARM'] } })
    expect(Targets.map(({ Arn }: Resource['properties']) => readable(Arn))).toEqual(['Orchestration/Pipeline'])
    expect(JSON.parse(Targets[0].Input)).toEqual(examples.get('dead-letters'))
  })
})

describe('by the clock', () => {
  test.each([
    ['the sweep', 'Triggers/Sweep', 'rate(15 minutes)', 'sweep'],
    ['the transform', 'Triggers/TransformDue', 'rate(1 hour)', 'transform-when-due'],
    ['the reconciliation', 'Triggers/Reconciliation', 'rate(1 day)', 'reconcile'],
  ])('%s is started, and not twice for one time', (_, path, rate, example) => {
    const { ScheduleExpression, State, Target } = at(path).properties

    expect([ScheduleExpression, State]).toEqual([rate, 'ENABLED'])
    expect(readable(Target.Arn)).toBe('Orchestration/Pipeline')
    expect(JSON.parse(Target.Input)).toEqual(examples.get(example))
    expect(Target.RetryPolicy.MaximumRetryAttempts).toBe(0)
  })

  test('nothing else is started', () => {
    expect(schedules).toHaveLength(3)
  })
})

describe('an execution that failed', () => {
  const { EventPattern, Targets, State } = ruleFor('Step Functions Execution Status Change').properties

  test('is told, however it failed, whatever its trigger was', () => {
    expect(State).toBe('ENABLED')
    expect(EventPattern.source).toEqual(['aws.states'])
    expect(EventPattern.detail).toEqual({ stateMachineArn: [expect.anything()], status: expect.anything() })
    expect(EventPattern.detail.stateMachineArn.map(readable)).toEqual(['Orchestration/Pipeline'])
    expect(EventPattern.detail.status).toEqual(['FAILED', 'TIMED_OUT', 'ABORTED'])
    expect(Targets.map(({ Arn }: Resource['properties']) => readable(Arn))).toEqual(['Notices/Topic'])
  })
})
