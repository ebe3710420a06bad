/**
 * The routes again, run by the emulator's Step Functions instead of our walker: the real definition, its Tasks' functions
 * replaced by one that asks this test what to answer.
 */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda'
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  RedriveExecutionCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn'
import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { portOf } from '../support/ports.ts'
import { pipelineDefinition, placesOf, scopesOf } from './definition.ts'
import { examples } from './examples.ts'
import { failed, type Route, routes } from './routes.ts'
import type { Results } from './run.ts'

const DEFINITION = readFileSync(new URL('../../workflows/pipeline.asl.json', import.meta.url), 'utf8')
const ROLE = 'arn:aws:iam::000000000000:role/any'
const options = {
  endpoint: inject('awsEndpoint'),
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
}
const sfn = new SFNClient(options)
const lambda = new LambdaClient(options)
const sns = new SNSClient(options)

/** A function that asks for its answer, and fails by the name that it is given. */
const STUB = `exports.handler = async (input) => {
  const response = await fetch(process.env.ANSWERS, { method: 'POST', body: JSON.stringify(input) })
  const { error, payload } = await response.json()
  if (error) throw Object.assign(new Error(error), { name: error })
  return payload
}`

let results: Results = {}
let stateMachineArn: string
/** The definition with the stubs in it, and a place for the topic. */
let stubbed: string

const answers = createServer(async (request, response) => {
  const task = request.url?.slice(1) ?? ''
  const given = { FunctionName: task, Payload: JSON.parse(await bodyOf(request)) }
  try {
    const result = results[task]
    const answer = await (typeof result === 'function' ? result(given) : result)
    response.end(JSON.stringify({ payload: answer?.Payload ?? answer ?? null }))
  } catch (error) {
    response.end(JSON.stringify({ error: error instanceof Error ? error.name : 'Error' }))
  }
})

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

function zippedStub(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-stub-'))
  writeFileSync(join(folder, 'index.js'), STUB)
  execFileSync('python3', ['-m', 'zipfile', '-c', 'stub.zip', 'index.js'], { cwd: folder })
  const zip = readFileSync(join(folder, 'stub.zip'))
  rmSync(folder, { recursive: true })
  return zip
}

beforeAll(async () => {
  answers.listen(0, '127.0.0.1')
  await once(answers, 'listening')
  const { TopicArn = '' } = await sns.send(new CreateTopicCommand({ Name: 'routes-notices' }))
  const code = { ZipFile: zippedStub() }
  // RequireNoneRemain has the function of ClaimDeadLetters, and here answers of its own.
  const parsed = JSON.parse(DEFINITION)
  parsed.States.RequireNoneRemain.Arguments.FunctionName = '$' + '{RequireNoneRemainFunctionArn}'
  parsed.States.RequireAnotherRuns.Arguments.FunctionName = '$' + '{RequireAnotherRunsFunctionArn}'
  // Real builds are for the end-to-end tests.
  const runDbt = parsed.States.RunDbt
  runDbt.Resource = 'arn:aws:states:::lambda:invoke'
  runDbt.Arguments = { FunctionName: '$' + '{RunDbtFunctionArn}', Payload: {} }
  runDbt.Output = '{% $states.result.Payload %}'
  let definition = JSON.stringify(parsed)
  for (const [placeholder, task] of definition.matchAll(/\$\{(\w+)FunctionArn\}/g)) {
    const { FunctionArn = '' } = await lambda.send(
      new CreateFunctionCommand({
        FunctionName: `routes-${task}`,
        Runtime: 'nodejs24.x',
        Handler: 'index.handler',
        Role: ROLE,
        Code: code,
        Timeout: 20,
        Environment: { Variables: { ANSWERS: `http://127.0.0.1:${portOf(answers)}/${task}` } },
      }),
    )
    definition = definition.replaceAll(placeholder, FunctionArn)
  }
  stubbed = definition
  stateMachineArn = await createStateMachine('routes', TopicArn)
})

async function createStateMachine(name: string, topicArn: string): Promise<string> {
  const definition = stubbed.replaceAll('$' + '{NoticeTopicArn}', topicArn)
  const created = await sfn.send(new CreateStateMachineCommand({ name, roleArn: ROLE, definition }))
  return created.stateMachineArn ?? ''
}

afterAll(() => {
  answers.close()
  for (const client of [sfn, lambda, sns]) client.destroy()
})

const untilEnded = (executionArn: string) =>
  vi.waitFor(
    async () => {
      const { status } = await sfn.send(new DescribeExecutionCommand({ executionArn }))
      expect(status).not.toBe('RUNNING')
      return status
    },
    { timeout: 25_000, interval: 50 },
  )

async function statesOf(executionArn: string): Promise<string[]> {
  const { events = [] } = await sfn.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }))
  return events.flatMap((event) => event.stateEnteredEventDetails?.name ?? [])
}

/** Inside a Map several are under way at once, and their order is nobody's promise. */
const isInside = (state: string) => state === 'LoadFile' || state === 'StillDead'

test.each(routes())('$name', async (route) => {
  results = route.results
  const input = JSON.stringify(examples.get(route.example))
  const { executionArn = '' } = await sfn.send(new StartExecutionCommand({ stateMachineArn, input }))
  const status = await untilEnded(executionArn)
  if (route.redriven !== undefined) {
    expect(status).toBe('FAILED')
    results = route.redriven.results
    await sfn.send(new RedriveExecutionCommand({ executionArn }))
    await untilEnded(executionArn)
  }

  const entered = await statesOf(executionArn)
  // A state that is redriven goes on; our walker enters it again.
  const expected = route.redriven ? withoutSecond(route.states, route.redriven.at) : route.states
  expect(entered.filter((state) => !isInside(state))).toEqual(expected.filter((state) => !isInside(state)))
  expect(entered.filter(isInside).toSorted()).toEqual(expected.filter(isInside).toSorted())
})

function withoutSecond(states: readonly string[], name: string): string[] {
  const second = states.indexOf(name, states.indexOf(name) + 1)
  return states.filter((_, index) => index !== second)
}

/** Each retrier of each Task behind which a function stands, with an error that it is for. */
const retriers = scopesOf(pipelineDefinition())
  .flatMap(placesOf)
  .filter(({ state }) => state.Arguments?.FunctionName !== undefined)
  .flatMap(({ name, state }) =>
    (state.Retry ?? [])
      .filter(({ MaxAttempts }) => MaxAttempts !== 0)
      .map(({ ErrorEquals }) => ({
        task: name,
        error: ErrorEquals[0] === 'States.ALL' ? 'Trouble' : `${ErrorEquals[0]}`,
      })),
  )

test.each(retriers)('$task is tried again after $error, and the route goes on', async ({ task, error }) => {
  const isPlain = ({ states, redriven }: Route) => states.includes(task) && redriven === undefined
  const route = routes().find(isPlain)
  if (route === undefined) throw new Error(`no route goes through ${task}`)
  const answer = route.results[task]
  let tries = 0
  const failsOnce = async (given: unknown) => {
    if (++tries === 1) throw failed(error)
    return typeof answer === 'function' ? await answer(given) : answer
  }
  results = { ...route.results, [task]: failsOnce }
  const input = JSON.stringify(examples.get(route.example))
  const { executionArn = '' } = await sfn.send(new StartExecutionCommand({ stateMachineArn, input }))

  expect(await untilEnded(executionArn)).toBe('SUCCEEDED')
  expect((await statesOf(executionArn)).toSorted()).toEqual(route.states.toSorted())
  const { events = [] } = await sfn.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }))
  // The route to some Tasks leads over an error that is caught.
  const failures = events.flatMap((event) => event.taskFailedEventDetails?.error ?? [])
  expect(failures.filter((name) => !name.startsWith('CodeBuild.') || name === error)).toEqual([error])
})

test('PublishNotice is tried again while its topic is not there', async () => {
  const route = routes().find(({ states, redriven }) => states.includes('PublishNotice') && redriven === undefined)
  results = route?.results ?? {}
  const late = await createStateMachine('routes-late-topic', 'arn:aws:sns:us-east-1:000000000000:late-topic')
  const input = '{"trigger":"dead-letters"}'
  const { executionArn = '' } = await sfn.send(new StartExecutionCommand({ stateMachineArn: late, input }))
  const failures = async () => {
    const { events = [] } = await sfn.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }))
    return events.filter((event) => event.type === 'TaskFailed').length
  }
  await vi.waitFor(async () => expect(await failures()).toBeGreaterThan(0), { timeout: 10_000, interval: 20 })
  await sns.send(new CreateTopicCommand({ Name: 'late-topic' }))
  expect(await untilEnded(executionArn)).toBe('SUCCEEDED')
})
