// What happens on the laptop cloud is measured as on AWS, and alarms look at it. A minute of metrics takes 0.2 s here.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { StopBuildCommand } from '@aws-sdk/client-codebuild'
import { InvokeCommand, LambdaClient, PutFunctionConcurrencyCommand } from '@aws-sdk/client-lambda'
import { RedriveExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn'
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns'
import { CreateQueueCommand, GetQueueAttributesCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BuildProjects, buildspec } from './build-projects.ts'
import { CloudWatch, type MetricName } from './cloudwatch.ts'
import { StateMachines } from './state-machines.ts'

let machines: StateMachines
let projects: BuildProjects
let lambda: LambdaClient
let cloudwatch: CloudWatch

beforeAll(async () => {
  machines = await StateMachines.start('metrics', { cloudwatchMinuteSeconds: 0.2 })
  projects = await BuildProjects.create(machines.client)
  lambda = new LambdaClient(machines.client)
  cloudwatch = new CloudWatch(machines.client.endpoint)
})
afterAll(() => machines.stop())

const invoke = async (payload: object) =>
  lambda
    .send(new InvokeCommand({ FunctionName: 'behave', Payload: JSON.stringify(payload) }))
    .catch(({ name }: Error) => name)

/** A line as Powertools prints it. */
const line = (values: Record<string, unknown>, dimensions: Record<string, unknown> = { service: 'behave' }) =>
  JSON.stringify({
    _aws: {
      Timestamp: Date.now(),
      CloudWatchMetrics: [
        {
          Namespace: 'Fixture',
          Dimensions: [Object.keys(dimensions)],
          Metrics: Object.keys(values).map((Name) => ({ Name, Unit: 'Count' })),
        },
      ],
    },
    ...dimensions,
    ...values,
  })

const ofFixture = (MetricName: string, Dimensions: Record<string, string> = { service: 'behave' }): MetricName => ({
  ...{ Namespace: 'Fixture', MetricName, Dimensions },
})
const sum = (name: MetricName) => cloudwatch.measured(name).then((found) => found?.Sum)

describe('a line that a function prints in the embedded metric format', () => {
  test('becomes metrics: each value of a list is a point, of exactly the dimensions that are named', async () => {
    const values = Array.from({ length: 100 }, (_, i) => i + 1)
    await invoke({
      lines: [line({ Files: 3, Seconds: values }), line({ Files: 4 }, { service: 'behave', source: 'orders' })],
    })

    expect(await cloudwatch.measured(ofFixture('Files'))).toMatchObject({ SampleCount: 1, Sum: 3 })
    expect(await cloudwatch.measured(ofFixture('Seconds'))).toEqual({ SampleCount: 100, Sum: 5_050, p99: 99.01 })
    expect(await sum(ofFixture('Files', { service: 'behave', source: 'orders' }))).toBe(4)
  })

  test.each([
    ['has more than 100 values of a metric', line({ Bad: Array(101).fill(1) })],
    ['has a value that is no number', line({ Bad: '1' })],
    ['has a dimension that is no text', line({ Bad: 1 }, { service: 7 })],
    ['does not have what it names', line({ Bad: 1 }).replace('"Bad":1', '"Good":1')],
    ['is not alone in its line', `2026-11-24 ${line({ Bad: 1 })}`],
  ])('makes no metric when it %s', async (_, bad) => {
    await invoke({ lines: [bad] })
    const log = readFileSync(join(machines.directory, 'emulator.log'), 'utf8')

    expect(await cloudwatch.measured(ofFixture('Bad'))).toBeUndefined()
    expect(log).toContain('No metrics of a line of behave')
  })

  test('of a Task counts too, and trips an alarm that tells its topic when it begins and when it is over', async () => {
    const { queueUrl, topicArn } = await subscribedTopic('alarmed')
    await cloudwatch.alarm('refused', ofFixture('Refused'), {
      ...{ ExtendedStatistic: 'p99', Period: 300, EvaluationPeriods: 1, Threshold: 0.5 },
      ...{ ComparisonOperator: 'GreaterThanThreshold', TreatMissingData: 'notBreaching' },
      ...{ AlarmActions: [topicArn], OKActions: [topicArn] },
    })
    await expect.poll(() => cloudwatch.stateOf('refused')).toBe('OK')

    await machines.run('Print', { Print: machines.task({ lines: [line({ Refused: [0, 1, 1] })] }) })
    await expect.poll(() => cloudwatch.stateOf('refused')).toBe('ALARM')
    await expect.poll(() => cloudwatch.stateOf('refused'), { timeout: 5_000 }).toBe('OK')

    expect(await noticesOf(queueUrl, 3)).toMatchObject([
      { AlarmName: 'refused', OldStateValue: 'INSUFFICIENT_DATA', NewStateValue: 'OK' },
      { AlarmName: 'refused', OldStateValue: 'OK', NewStateValue: 'ALARM' },
      { AlarmName: 'refused', OldStateValue: 'ALARM', NewStateValue: 'OK' },
    ])
  })
})

test('a function is measured whoever calls it: invocations, errors, throttles and how long it ran', async () => {
  const ofFunction = (MetricName: string): MetricName => ({
    ...{ Namespace: 'AWS/Lambda', MetricName, Dimensions: { FunctionName: 'behave' } },
  })
  const all = async () => Promise.all(['Invocations', 'Errors', 'Throttles'].map((name) => sum(ofFunction(name))))
  await invoke({})
  const [invocations = 0, errors = 0, throttles = 0] = await all()

  await invoke({ errorName: 'Failed' })
  await machines.run('Fail', { Fail: machines.task({ errorName: 'Failed' }) })
  await invoke({ sleepMilliseconds: 50 })
  await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: 'behave', ReservedConcurrentExecutions: 0 }))
  const refusal = await new LambdaClient({ ...machines.client, maxAttempts: 1 })
    .send(new InvokeCommand({ FunctionName: 'behave' }))
    .catch(({ name }: Error) => name)
  await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: 'behave', ReservedConcurrentExecutions: 5 }))

  expect(refusal).toBe('TooManyRequestsException')
  expect(await all()).toEqual([invocations + 3, errors + 2, throttles + 1])
  const duration = await cloudwatch.measured(ofFunction('Duration'))
  expect(duration?.SampleCount).toBe(invocations + 3)
  expect(duration?.p99).toBeGreaterThan(50)
})

test('executions are measured by their machine: how many began, and how they ended', async () => {
  const wait = { Wait: { Type: 'Wait', Seconds: 10, End: true } }
  const machine = await machines.create('Choose', {
    Choose: {
      Type: 'Choice',
      Choices: [
        { Condition: '{% $states.input.fails %}', Next: 'Fail' },
        { Condition: '{% $states.input.waits %}', Next: 'Wait' },
      ],
      Default: 'Succeed',
    },
    Fail: { Type: 'Fail', Error: 'Failed' },
    Succeed: { Type: 'Succeed' },
    ...wait,
  })
  const timed = await machines.create('Wait', wait, { TimeoutSeconds: 0.1 })
  const measuredOf = async (StateMachineArn: string) =>
    Promise.all(
      ['Started', 'Succeeded', 'Failed', 'Aborted', 'TimedOut'].map((what) =>
        sum({ Namespace: 'AWS/States', MetricName: `Executions${what}`, Dimensions: { StateMachineArn } }),
      ),
    )

  const failed = await machines.ended(await machines.start(machine, { fails: true, waits: false }))
  await machines.ended(await machines.start(machine, { fails: false, waits: false }))
  const stopped = await machines.start(machine, { fails: false, waits: true })
  await machines.states.send(new StopExecutionCommand({ executionArn: stopped }))
  await machines.ended(await machines.start(timed))
  await machines.states.send(new RedriveExecutionCommand({ executionArn: failed.executionArn }))
  await machines.ended(failed.executionArn)

  await expect.poll(() => measuredOf(machine)).toEqual([3, 1, 2, 1, undefined])
  expect(await measuredOf(timed)).toEqual([1, undefined, undefined, undefined, 1])
})

test('builds are measured by their project: those that succeeded, and those that failed, but for the stopped', async () => {
  const measuredOf = async (ProjectName: string) =>
    Promise.all(
      ['SucceededBuilds', 'FailedBuilds'].map((MetricName) =>
        sum({ Namespace: 'AWS/CodeBuild', MetricName, Dimensions: { ProjectName } }),
      ),
    )
  const [good = '', bad = '', slow = ''] = await Promise.all(
    ['true', 'false', 'sleep 10'].map((command) => projects.project(buildspec({ build: [command] }))),
  )

  const [, , stopped] = await Promise.all([projects.run(good), projects.run(bad), projects.start(slow)])
  await projects.codebuild.send(new StopBuildCommand({ id: stopped.id }))

  await expect.poll(() => measuredOf(good)).toEqual([1, undefined])
  await expect.poll(() => measuredOf(bad)).toEqual([undefined, 1])
  expect(await measuredOf(slow)).toEqual([undefined, undefined])
})

describe('an alarm', () => {
  const HOUR_SECONDS = 3_600

  test('looks at the hour that ends now, not at that of the clock', async () => {
    const name = ofFixture('Spread')
    await cloudwatch.put(name, [1, 1, 1], [HOUR_SECONDS * 0.9, HOUR_SECONDS * 0.5, 0])
    const settings = { Period: 3_600, EvaluationPeriods: 1, ComparisonOperator: 'GreaterThanOrEqualToThreshold' }
    await cloudwatch.alarm('three', name, { ...settings, Statistic: 'SampleCount', Threshold: 3 })
    await cloudwatch.alarm('four', name, { ...settings, Statistic: 'SampleCount', Threshold: 4 })

    await expect.poll(() => cloudwatch.stateOf('three')).toBe('ALARM')
    await expect.poll(() => cloudwatch.stateOf('four')).toBe('OK')
  })

  test('on what should come every day is on until something comes, when what is missing counts as bad', async () => {
    const name = ofFixture('Expected')
    await cloudwatch.alarm('silent', name, {
      ...{ Statistic: 'SampleCount', Period: 3_600, EvaluationPeriods: 24, Threshold: 1 },
      ...{ ComparisonOperator: 'LessThanThreshold', TreatMissingData: 'breaching' },
    })
    await expect.poll(() => cloudwatch.stateOf('silent')).toBe('ALARM')

    await cloudwatch.put(name, [0], [20 * HOUR_SECONDS])

    await expect.poll(() => cloudwatch.stateOf('silent')).toBe('OK')
  })
})

async function subscribedTopic(name: string): Promise<{ queueUrl: string; topicArn: string }> {
  const [sns, sqs] = [new SNSClient(machines.client), new SQSClient(machines.client)]
  const { TopicArn: topicArn = '' } = await sns.send(new CreateTopicCommand({ Name: name }))
  const statement = { Effect: 'Allow', Principal: { Service: 'sns.amazonaws.com' }, Action: 'sqs:*', Resource: '*' }
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
  const { QueueUrl: queueUrl = '' } = await sqs.send(
    new CreateQueueCommand({ QueueName: name, Attributes: { Policy } }),
  )
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['QueueArn'] }),
  )
  const raw = { RawMessageDelivery: 'true' }
  await sns.send(
    new SubscribeCommand({ TopicArn: topicArn, Protocol: 'sqs', Endpoint: Attributes?.QueueArn, Attributes: raw }),
  )
  return { queueUrl, topicArn }
}

async function noticesOf(queueUrl: string, count: number): Promise<object[]> {
  const notices: object[] = []
  const receive = new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 })
  while (notices.length < count) {
    const { Messages = [] } = await new SQSClient(machines.client).send(receive)
    if (Messages.length === 0) break
    notices.push(...Messages.map(({ Body = '' }) => JSON.parse(Body)))
  }
  return notices
}
