// What is deployed to the laptop cloud behaves as on AWS where stock ministack does not.

import { InvokeCommand, LambdaClient, ListEventSourceMappingsCommand } from '@aws-sdk/client-lambda'
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn'
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

test('Ref of a secret is its ARN, and an update keeps it', async () => {
  const secrets = new SecretsManagerClient(clientOf(cloud))
  const read = async () => (await secrets.send(new GetSecretValueCommand({ SecretId: outputs.SecretRef }))).SecretString

  expect(outputs.SecretRef).toMatch(/^arn:aws:secretsmanager:us-east-1:000000000000:secret:/)
  expect(await read()).toBe(PASSWORD)
  const updated = await deployFixture(cloud, { password: 'another' })
  expect(updated.SecretRef).toBe(outputs.SecretRef)
  expect(await read()).toBe('another')
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
