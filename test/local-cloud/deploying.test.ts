// What is deployed to the laptop cloud behaves as on AWS where stock ministack does not.

import { setTimeout as sleep } from 'node:timers/promises'
import {
  BatchGetBuildsCommand,
  BatchGetProjectsCommand,
  BatchGetReportGroupsCommand,
  CodeBuildClient,
  StartBuildCommand,
} from '@aws-sdk/client-codebuild'
import { InvokeCommand, LambdaClient, ListEventSourceMappingsCommand } from '@aws-sdk/client-lambda'
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import {
  DescribeExecutionCommand,
  ListExecutionsCommand,
  RedriveExecutionCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn'
import {
  DeleteMessageCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Cloud } from '../../infra/local/cloud.ts'
import { clientOf, deployFixture, PASSWORD, startFixtureCloud, stopFixtureCloud } from './fixture-cloud.ts'

let cloud: Cloud
let outputs: Record<string, string>

beforeAll(async () => {
  ;({ cloud, outputs } = await startFixtureCloud('deploying'))
})
afterAll(() => stopFixtureCloud(cloud))

test('a failed invocation tells the name of the error and its trace', async () => {
  const failure = await invoke(outputs.FailName, { errorName: 'BadItem' })

  expect(failure.payload).toMatchObject({ errorType: 'BadItem', errorMessage: 'the item is bad' })
  expect(failure.payload.trace.join('\n')).toContain('fail.js')
})

test('a function that cannot be loaded says why, in its answer and in its log', async () => {
  const failure = await invoke(outputs.BrokenName, {})

  expect(failure.payload.errorType).toBe('Runtime.ImportModuleError')
  expect(failure.payload.errorMessage).toContain("Cannot find module './a-file-that-nobody-bundled.js'")
  expect(failure.log).toContain("Cannot find module './a-file-that-nobody-bundled.js'")
})

test('a state machine catches an error by its name, and a Succeed state has its own output', async () => {
  expect(await execute({ errorName: 'BadItem' })).toEqual({ status: 'SUCCEEDED', output: { caught: 'BadItem' } })
  expect(await execute({})).toEqual({ status: 'SUCCEEDED', output: { done: 'nothing failed' } })
  expect(await execute({ errorName: 'Unexpected' })).toMatchObject({ status: 'FAILED', error: 'Unexpected' })
})

test('the event source mapping has what the template says', async () => {
  const { EventSourceMappings = [] } = await new LambdaClient(clientOf(cloud)).send(
    new ListEventSourceMappingsCommand(),
  )

  expect(EventSourceMappings).toHaveLength(1)
  expect(EventSourceMappings[0]).toMatchObject({
    BatchSize: 100,
    MaximumBatchingWindowInSeconds: 3,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    ScalingConfig: { MaximumConcurrency: 5 },
  })
})

test('a message in the dead-letter queue raises the alarm once: notice, event, execution; and it calms down', async () => {
  const queue = new SQSClient(clientOf(cloud))
  const deadLetter = () =>
    queue.send(new SendMessageCommand({ QueueUrl: outputs.DeadLettersQueueUrl, MessageBody: 'given up' }))
  // Its first state, which it gets when it is deployed, may be older than the rule.
  const alarmEvents = () =>
    seen(outputs.EventsQueueUrl, ({ source, detail }) => {
      return source === 'aws.cloudwatch' && detail.previousState.value !== 'INSUFFICIENT_DATA'
    })
  const byAlarm = async () => (await inputsOf(outputs.StartedArn)).filter(({ trigger }) => trigger === 'dead-letters')

  await deadLetter()
  await expect.poll(alarmEvents, { timeout: 5_000 }).toHaveLength(1)
  await deadLetter()
  await sleep(1_500)
  const raised = await alarmEvents()
  const executions = await byAlarm()
  const notices = await seen(outputs.NoticesQueueUrl)
  await queue.send(new PurgeQueueCommand({ QueueUrl: outputs.DeadLettersQueueUrl }))
  await expect.poll(alarmEvents, { timeout: 5_000 }).toHaveLength(2)

  expect(executions).toEqual([{ trigger: 'dead-letters', alarm: outputs.AlarmName }])
  expect(notices).toMatchObject([{ AlarmName: outputs.AlarmName, NewStateValue: 'ALARM', OldStateValue: 'OK' }])
  expect(raised).toHaveLength(1)
  const arn = `arn:aws:cloudwatch:us-east-1:000000000000:alarm:${outputs.AlarmName}`
  const dimensions = { QueueName: outputs.DeadLettersQueueUrl?.split('/').at(-1) }
  const metric = { namespace: 'AWS/SQS', name: 'ApproximateNumberOfMessagesVisible', dimensions }
  expect(raised[0]).toMatchObject({
    'detail-type': 'CloudWatch Alarm State Change',
    resources: [arn],
    detail: {
      alarmName: outputs.AlarmName,
      state: { value: 'ALARM', reason: expect.stringContaining('Threshold Crossed') },
      previousState: { value: 'OK' },
      configuration: { metrics: [{ metricStat: { metric, period: 60, stat: 'Maximum' }, returnData: true }] },
    },
  })
  expect((await alarmEvents())[1]).toMatchObject({
    detail: { state: { value: 'OK' }, previousState: { value: 'ALARM' } },
  })
})

test('a schedule starts an execution with its input', async () => {
  await expect.poll(() => inputsOf(outputs.StartedArn), { timeout: 5_000 }).toContainEqual({ trigger: 'sweep' })
})

test('changes of the status of an execution come to EventBridge', async () => {
  const states = new SFNClient(clientOf(cloud))
  const { executionArn } = await states.send(
    new StartExecutionCommand({ stateMachineArn: outputs.MachineArn, input: '{"errorName":"Unexpected"}' }),
  )
  const statuses = () => seen(outputs.EventsQueueUrl, ({ detail }) => detail.executionArn === executionArn)
  await expect.poll(statuses, { timeout: 5_000 }).toHaveLength(2)
  await states.send(new RedriveExecutionCommand({ executionArn }))
  await states.send(new StopExecutionCommand({ executionArn, error: 'Enough' }))
  await expect.poll(statuses, { timeout: 5_000 }).toHaveLength(4)

  const redrivable = { redriveStatus: 'REDRIVABLE', redriveStatusReason: null }
  expect((await statuses()).map(({ detail }) => detail)).toMatchObject([
    { status: 'RUNNING', redriveCount: 0, redriveStatus: 'NOT_REDRIVABLE' },
    { status: 'FAILED', redriveCount: 0, error: 'Unexpected', output: null, ...redrivable },
    { status: 'RUNNING', redriveCount: 1, redriveDate: expect.any(Number), redriveStatus: 'NOT_REDRIVABLE' },
    { status: 'ABORTED', redriveCount: 1, error: 'Enough', ...redrivable },
  ])
})

test('a project has what the template says, and its builds run', async () => {
  const codebuild = new CodeBuildClient(clientOf(cloud))
  const { build } = await codebuild.send(new StartBuildCommand({ projectName: outputs.ProjectName }))
  const ids = [build?.id ?? '']
  const ended = async () => (await codebuild.send(new BatchGetBuildsCommand({ ids }))).builds?.[0]
  await expect.poll(ended, { timeout: 10_000 }).toMatchObject({ buildComplete: true })
  const ofBuild = () => seen(outputs.EventsQueueUrl, ({ detail }) => detail['build-id'] === build?.arn)
  await expect.poll(ofBuild, { timeout: 5_000 }).toHaveLength(2)

  expect(await describeProject()).toMatchObject({
    arn: outputs.ProjectArn,
    description: 'with everything',
    concurrentBuildLimit: 1,
    timeoutInMinutes: 30,
    queuedTimeoutInMinutes: 10,
    cache: { type: 'S3', location: `${outputs.BuildResultsName}/cache` },
    artifacts: { type: 'S3', location: outputs.BuildResultsName, namespaceType: 'BUILD_ID', packaging: 'NONE' },
    logsConfig: { cloudWatchLogs: { status: 'ENABLED', groupName: outputs.BuildLogName } },
    environment: { environmentVariables: [{ name: 'SECRET', type: 'SECRETS_MANAGER' }, { name: 'STAGE' }] },
  })
  const prefix = `of/${ids[0]?.split(':')[1]}/it`
  expect(await ended()).toMatchObject({
    buildStatus: 'SUCCEEDED',
    artifacts: { location: `arn:aws:s3:::${outputs.BuildResultsName}/${prefix}` },
    logs: { groupName: outputs.BuildLogName },
  })
  expect((await ofBuild()).map(({ detail }) => detail)).toMatchObject([
    { 'build-status': 'IN_PROGRESS', 'project-name': outputs.ProjectName },
    { 'build-status': 'SUCCEEDED', 'project-name': outputs.ProjectName },
  ])
  const groups = new BatchGetReportGroupsCommand({ reportGroupArns: [outputs.ReportGroupArn ?? ''] })
  expect((await codebuild.send(groups)).reportGroups).toMatchObject([{ arn: outputs.ReportGroupArn, type: 'TEST' }])
})

test('an update takes away from a project what the template no longer has', async () => {
  await deployFixture(cloud, { context: { plain: 'yes' } })
  const project = await describeProject()

  expect(project).toMatchObject({ arn: outputs.ProjectArn, description: '', timeoutInMinutes: 60 })
  expect(project).toMatchObject({ artifacts: { type: 'NO_ARTIFACTS' } })
  expect(project?.cache?.type ?? 'NO_CACHE').toBe('NO_CACHE')
  expect(project).not.toHaveProperty('concurrentBuildLimit')
  expect(project).not.toHaveProperty('logsConfig')
  expect(project).not.toHaveProperty('queuedTimeoutInMinutes')
})

test('a password is generated as the template asks for it, into a template with a parameter', async () => {
  const { host, username, password, ...others } = JSON.parse((await readSecret(outputs.GeneratedRef)) ?? '')

  expect({ host, username, others }).toEqual({ host: 'db.example.com', username: 'reader', others: {} })
  expect(password).toMatch(/^[A-Za-z0-9]{40}$/)
})

test('Ref of a secret is its ARN, and an update keeps it, and a password that was generated', async () => {
  const read = () => readSecret(outputs.SecretRef)
  const generated = await readSecret(outputs.GeneratedRef)

  expect(outputs.SecretRef).toMatch(/^arn:aws:secretsmanager:us-east-1:000000000000:secret:/)
  expect(await read()).toBe(PASSWORD)
  const updated = await deployFixture(cloud, { password: 'another' })
  expect(updated.SecretRef).toBe(outputs.SecretRef)
  expect(await read()).toBe('another')
  expect(await readSecret(updated.GeneratedRef)).toBe(generated)
})

test.each([
  ['fails to load', 'load', "Runtime.ImportModuleError: Cannot find module './a-file-that-nobody-bundled.js'"],
  ['throws', 'throw', 'MigrationFailed: the item is bad'],
])('a custom resource whose function %s fails the deployment at once, with the reason', async (_, failing, reason) => {
  const started = Date.now()

  const message = await deployFixture(cloud, { context: { failing } }).then(
    () => 'deployed',
    (error: Error) => error.message,
  )

  expect(message.replaceAll(/\s+/g, ' ')).toContain(reason)
  expect(message).toContain('cdk-deploy.log')
  expect(Date.now() - started).toBeLessThan(30_000)
})

interface Seen {
  readonly source?: string
  // biome-ignore lint/suspicious/noExplicitAny: of whatever kind the event is
  readonly detail?: any
}
const seenByQueue = new Map<string | undefined, Seen[]>()

/** What came to the queue since the deployment. */
async function seen(queueUrl: string | undefined, isWanted: (item: Seen) => boolean = () => true): Promise<Seen[]> {
  const queue = new SQSClient(clientOf(cloud))
  const all = seenByQueue.get(queueUrl) ?? []
  seenByQueue.set(queueUrl, all)
  while (true) {
    const { Messages = [] } = await queue.send(
      new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }),
    )
    if (Messages.length === 0) return all.filter(isWanted)
    for (const { Body = '', ReceiptHandle } of Messages) {
      all.push(JSON.parse(Body))
      await queue.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }))
    }
  }
}

async function readSecret(SecretId: string | undefined): Promise<string | undefined> {
  const answer = await new SecretsManagerClient(clientOf(cloud)).send(new GetSecretValueCommand({ SecretId }))
  return answer.SecretString
}

async function describeProject() {
  const names = [outputs.ProjectName ?? '']
  return (await new CodeBuildClient(clientOf(cloud)).send(new BatchGetProjectsCommand({ names }))).projects?.[0]
}

async function inputsOf(stateMachineArn: string | undefined): Promise<{ trigger?: string }[]> {
  const states = new SFNClient(clientOf(cloud))
  const { executions = [] } = await states.send(new ListExecutionsCommand({ stateMachineArn }))
  const described = executions.map(({ executionArn }) => states.send(new DescribeExecutionCommand({ executionArn })))
  return (await Promise.all(described)).map(({ input = '' }) => JSON.parse(input))
}

async function invoke(name: string | undefined, payload: object) {
  const lambda = new LambdaClient(clientOf(cloud))
  const answer = await lambda.send(
    new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(payload), LogType: 'Tail' }),
  )
  expect(answer.FunctionError).toBe('Unhandled')
  return {
    payload: JSON.parse(answer.Payload?.transformToString() ?? ''),
    log: Buffer.from(answer.LogResult ?? '', 'base64').toString(),
  }
}

async function execute(input: object) {
  const states = new SFNClient(clientOf(cloud))
  const { executionArn } = await states.send(
    new StartExecutionCommand({ stateMachineArn: outputs.MachineArn, input: JSON.stringify(input) }),
  )
  return await expect
    .poll(() => states.send(new DescribeExecutionCommand({ executionArn })), { timeout: 20_000 })
    .not.toMatchObject({ status: 'RUNNING' })
    .then(() => states.send(new DescribeExecutionCommand({ executionArn })))
    .then(({ status, output, error }) => ({
      status,
      ...(status === 'SUCCEEDED' ? { output: JSON.parse(output ?? '') } : { error }),
    }))
}
