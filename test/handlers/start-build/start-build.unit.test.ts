/** What the emulator cannot be made to do: AWS that throttles, refuses, forgets, and logs that come late or never. */
import { createServer } from 'node:http'
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs'
import { CodeBuildClient } from '@aws-sdk/client-codebuild'
import { afterEach, describe, expect, test } from 'vitest'
import { runBuild } from '../../../handlers/start-build/start-build.ts'
import { portOf } from '../../support/ports.ts'

type Answer = Record<string, unknown> | { readonly httpStatus: number; readonly error: string } | 'no answer'

const MINUTE = 60_000
const ID = 'sluice-local-migrate:4711'
const STARTED = { build: { id: ID } }
const LOGS = { groupName: '/aws/codebuild/sluice-local-migrate', streamName: '4711' }

const build = (buildStatus: string, fields: Record<string, unknown> = {}): Answer => ({
  builds: [{ id: ID, projectName: 'sluice-local-migrate', buildStatus, logs: LOGS, ...fields }],
})
const failed = (fields: Record<string, unknown> = {}) =>
  build('FAILED', {
    phases: [
      { phaseType: 'DOWNLOAD_SOURCE', phaseStatus: 'SUCCEEDED' },
      {
        phaseType: 'BUILD',
        phaseStatus: 'FAILED',
        contexts: [{ message: 'Error while executing command: node run-migrations.mjs. Reason: exit status 1' }],
      },
    ],
    ...fields,
  })
const log = (...lines: string[]): Answer => ({ events: lines.map((message) => ({ message: `${message}\n` })) })
const throttled: Answer = { httpStatus: 400, error: 'ThrottlingException' }

let end: () => Promise<unknown> = async () => {}
afterEach(() => end())

/** An AWS that gives the answers of each operation in turn, the last one for ever. */
async function awsThat(answers: Record<string, readonly Answer[]>) {
  const asked: { operation: string; input: Record<string, unknown> }[] = []
  const server = createServer(async (request, response) => {
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? ''
    const input = JSON.parse((await request.toArray()).join('') || '{}')
    const before = asked.filter((each) => each.operation === operation).length
    asked.push({ operation, input })
    const script = answers[operation] ?? []
    const answer = script[Math.min(before, script.length - 1)] ?? {}
    if (answer === 'no answer') return request.socket.destroy()
    const isError = 'httpStatus' in answer
    response.writeHead(isError ? Number(answer.httpStatus) : 200, { 'content-type': 'application/x-amz-json-1.1' })
    response.end(JSON.stringify(isError ? { __type: answer.error, message: 'no' } : answer))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const options = {
    endpoint: `http://127.0.0.1:${portOf(server)}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  }
  const clients = { codebuild: new CodeBuildClient(options), logs: new CloudWatchLogsClient(options) }
  end = async () => {
    clients.codebuild.destroy()
    clients.logs.destroy()
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  }

  let passedMs = 0
  const outcome = runBuild(
    clients,
    'sluice-local-migrate',
    'token',
    () => 15 * MINUTE - passedMs,
    async (milliseconds) => {
      passedMs += milliseconds
    },
  ).catch((error: Error) => error)
  return { outcome: await outcome, asked, passedMs: () => passedMs }
}

const count = (asked: readonly { operation: string }[], name: string) =>
  asked.filter(({ operation }) => operation === name).length

describe('a build', () => {
  test('is started once, with the token of the invocation, and looked at until it has succeeded', async () => {
    const { outcome, asked, passedMs } = await awsThat({
      StartBuild: [STARTED],
      BatchGetBuilds: [build('IN_PROGRESS'), build('IN_PROGRESS'), build('SUCCEEDED')],
    })
    expect(outcome).toEqual({ buildId: ID, status: 'SUCCEEDED' })
    expect(asked.map(({ operation }) => operation)).toEqual(['StartBuild', ...Array(3).fill('BatchGetBuilds')])
    expect(asked[0]?.input).toEqual({ projectName: 'sluice-local-migrate', idempotencyToken: 'token' })
    expect(passedMs()).toBe(500 + 1_000 + 2_000)
  })

  test('that is not found yet is looked for again', async () => {
    const { outcome } = await awsThat({
      StartBuild: [STARTED],
      BatchGetBuilds: [{ builds: [], buildsNotFound: [ID] }, build('SUCCEEDED')],
    })
    expect(outcome).toEqual({ buildId: ID, status: 'SUCCEEDED' })
  })

  test('that never ends is left to itself before the function ends, every 5 s asked for', async () => {
    const { outcome, asked, passedMs } = await awsThat({
      StartBuild: [STARTED],
      BatchGetBuilds: [build('IN_PROGRESS')],
    })

    expect(outcome).toMatchObject({ name: 'BuildUnfinished', message: expect.stringContaining(`${ID} has not ended`) })
    expect(outcome).toMatchObject({ message: expect.stringContaining('It goes on: see its log in CodeBuild') })
    expect(passedMs()).toBeGreaterThan(14 * MINUTE)
    expect(passedMs()).toBeLessThanOrEqual(15 * MINUTE - 20_000)
    expect(count(asked, 'BatchGetBuilds')).toBeLessThan(190)
  })
})

describe('AWS that is in trouble', () => {
  const trouble: Answer[] = [throttled, { httpStatus: 503, error: 'ServiceUnavailable' }, 'no answer', throttled]

  test('while it is polled is asked again', async () => {
    const { outcome, asked } = await awsThat({
      StartBuild: [STARTED],
      BatchGetBuilds: [build('IN_PROGRESS'), ...trouble, build('SUCCEEDED')],
    })
    expect(outcome).toEqual({ buildId: ID, status: 'SUCCEEDED' })
    expect(count(asked, 'StartBuild')).toBe(1)
  })

  test('when a build is started is asked again with the same token', async () => {
    const { outcome, asked } = await awsThat({
      StartBuild: [...trouble, { httpStatus: 400, error: 'AccountLimitExceededException' }, STARTED],
      BatchGetBuilds: [build('SUCCEEDED')],
    })
    expect(outcome).toEqual({ buildId: ID, status: 'SUCCEEDED' })
    expect(new Set(asked.slice(0, 6).map(({ input }) => input.idempotencyToken))).toEqual(new Set(['token']))
  })

  test('for ever is told by its name in time', async () => {
    const quota: Answer = { httpStatus: 400, error: 'AccountLimitExceededException' }
    const { outcome, passedMs } = await awsThat({ StartBuild: [quota] })

    expect(outcome).toMatchObject({
      name: 'BuildUnfinished',
      message: 'No build of sluice-local-migrate could be started (AccountLimitExceededException).',
    })
    expect(passedMs()).toBeLessThanOrEqual(15 * MINUTE - 20_000)
  })

  test('with a role that was made just before is asked again for a minute, and not for longer', async () => {
    const denied: Answer = { httpStatus: 400, error: 'AccessDeniedException' }
    const soon = await awsThat({ StartBuild: [denied, denied, STARTED], BatchGetBuilds: [build('SUCCEEDED')] })
    await end()
    const never = await awsThat({ StartBuild: [denied] })

    expect(soon.outcome).toEqual({ buildId: ID, status: 'SUCCEEDED' })
    expect(never.outcome).toMatchObject({ name: 'AccessDeniedException' })
    expect(never.passedMs()).toBe(MINUTE)
  })

  test('by a call that is wrong is not asked again', async () => {
    const { outcome, asked } = await awsThat({ StartBuild: [{ httpStatus: 400, error: 'ResourceNotFoundException' }] })
    expect(outcome).toMatchObject({ name: 'ResourceNotFoundException' })
    expect(asked).toHaveLength(1)
  })
})

describe('a build that failed', () => {
  const failWith = async (GetLogEvents: readonly Answer[], ended = failed()) => {
    const aws = await awsThat({ StartBuild: [STARTED], BatchGetBuilds: [ended], GetLogEvents })
    expect(aws.outcome).toMatchObject({ name: 'BuildFailed' })
    return { ...aws, message: (aws.outcome as Error).message }
  }

  test('is told with its phase, the reason of the phase, and its own last lines without those of CodeBuild', async () => {
    const { message } = await failWith([
      log(
        '[Container] Running command node run-migrations.mjs',
        '0004_x in 3 ms',
        'Not migrated.',
        '[Container] Phase',
      ),
    ])
    expect(message.split('\n')).toEqual([
      `Build ${ID} of project sluice-local-migrate: FAILED in phase BUILD`,
      'Error while executing command: node run-migrations.mjs. Reason: exit status 1',
      'The end of its log:',
      '  0004_x in 3 ms',
      '  Not migrated.',
      'All of it: /aws/codebuild/sluice-local-migrate, stream 4711',
    ])
  })

  test('has its last lines waited for', async () => {
    const { message, asked } = await failWith([log(), log('first'), log('first', 'last'), log('first', 'last')])
    expect(message).toContain('  first\n  last\n')
    expect(count(asked, 'GetLogEvents')).toBe(4)
  })

  test('and whose log is gone is told without it', async () => {
    const { message, asked } = await failWith([{ httpStatus: 400, error: 'ResourceNotFoundException' }])
    expect(message).toContain('FAILED in phase BUILD')
    expect(message).toContain('Its log has no line.')
    expect(count(asked, 'GetLogEvents')).toBe(5)
  })

  test('before it had a log is told without asking for one', async () => {
    const { message, asked } = await failWith([], build('FAULT', { logs: {}, phases: [] }))
    expect(message).toContain(`Build ${ID} of project sluice-local-migrate: FAULT\n`)
    expect(count(asked, 'GetLogEvents')).toBe(0)
  })

  test('shows the lines of CodeBuild when it wrote none itself', async () => {
    const { message } = await failWith([log('[Container] no such runtime')])
    expect(message).toContain('  [Container] no such runtime\n')
  })

  test('says no more than CloudFormation takes, the last lines before others', async () => {
    const lines = Array.from({ length: 50 }, (_, n) => `line ${n} "${'ü'.repeat(400)}"`)
    const { message, outcome } = await failWith([log(...lines)])

    expect(message).toContain('line 49')
    expect(message).not.toContain('line 40')
    expect(message).toMatch(/…\n/)
    expect(Buffer.byteLength(JSON.stringify(message))).toBeLessThanOrEqual(2_400)
    // Lambda hands the stack on beside the message.
    expect((outcome as Error).stack).toBe('BuildFailed')
  })

  test('shows twenty lines at most', async () => {
    const { message } = await failWith([log(...Array.from({ length: 30 }, (_, n) => `line ${n}`))])
    expect(message.match(/^ {2}line/gm)).toHaveLength(20)
    expect(message).toContain('  line 29\n')
  })
})
