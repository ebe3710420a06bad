// State machines on the laptop cloud run builds as Step Functions does with codebuild:startBuild.

import { type Build, ListBuildsForProjectCommand, StopBuildCommand } from '@aws-sdk/client-codebuild'
import { RedriveExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BuildProjects, buildspec } from './build-projects.ts'
import { StateMachines } from './state-machines.ts'

const START = 'arn:aws:states:::codebuild:startBuild'

let machines: StateMachines
let projects: BuildProjects

beforeAll(async () => {
  machines = await StateMachines.start('build-tasks')
  projects = await BuildProjects.create(machines.client)
})
afterAll(() => machines.stop())

const task = (ProjectName: string, fields: object = { End: true }, Arguments: object = {}) => ({
  Type: 'Task',
  Resource: `${START}.sync`,
  Arguments: { ProjectName, ...Arguments },
  ...fields,
})
const commands = (...build: string[]) => projects.project(buildspec({ build }))

test('.sync waits for the build and gives it; the history has submitted and succeeded', async () => {
  const project = await projects.project(
    buildspec({ build: ['export OUT="from $INPUT"'] }, { env: { 'exported-variables': ['OUT'] } }),
  )
  const EnvironmentVariablesOverride = [{ Name: 'INPUT', Type: 'PLAINTEXT', Value: '{% $states.input.name %}' }]
  const { executionArn, output } = await machines.run(
    'Run',
    { Run: task(project, { End: true }, { EnvironmentVariablesOverride }) },
    { name: 'Sluice' },
  )
  const history = await machines.history(executionArn)

  expect(output.Build).toMatchObject({
    Id: expect.stringMatching(`^${project}:`),
    Arn: expect.stringContaining(`:build/${project}:`),
    BuildStatus: 'SUCCEEDED',
    BuildComplete: true,
    CurrentPhase: 'COMPLETED',
    ProjectName: project,
    ExportedEnvironmentVariables: [{ Name: 'OUT', Value: 'from Sluice' }],
    Environment: { EnvironmentVariables: [{ Name: 'INPUT', Value: 'Sluice', Type: 'PLAINTEXT' }] },
    Logs: { GroupName: `/aws/codebuild/${project}` },
    StartTime: expect.any(Number),
  })
  expect(output.Build.EndTime).toBeGreaterThan(Date.now() - 60_000)
  expect(output.Build.Phases[6]).toMatchObject({ PhaseType: 'BUILD', PhaseStatus: 'SUCCEEDED' })
  expect(history.map(({ type }) => type)).toEqual([
    ...['ExecutionStarted', 'TaskStateEntered', 'TaskScheduled', 'TaskStarted', 'TaskSubmitted', 'TaskSucceeded'],
    ...['TaskStateExited', 'ExecutionSucceeded'],
  ])
  const ofTask = { resourceType: 'codebuild', resource: 'startBuild.sync' }
  expect(history[2]?.taskScheduledEventDetails).toMatchObject(ofTask)
  expect(history[4]?.taskSubmittedEventDetails).toMatchObject(ofTask)
  expect(JSON.parse(history[4]?.taskSubmittedEventDetails?.output ?? '').Build.BuildStatus).toBe('IN_PROGRESS')
  expect(history[5]?.taskSucceededEventDetails).toMatchObject(ofTask)
})

test('without .sync the build only starts', async () => {
  const project = await commands('sleep 73')
  const { executionArn, output } = await machines.run('Run', { Run: task(project, { Resource: START, End: true }) })
  const build = await projects.describe({ id: output.Build.Id })
  await projects.codebuild.send(new StopBuildCommand({ id: build.id }))

  expect(build.buildStatus).toBe('IN_PROGRESS')
  expect((await machines.history(executionArn)).map(({ type }) => type)).not.toContain('TaskSubmitted')
})

test('a build that fails fails the Task with the build as its cause; redrive runs it again', async () => {
  const { path, give } = machines.signal()
  const { executionArn, status, error, description } = await machines.run('Run', {
    Run: task(await commands(`test -e ${path}`)),
  })
  const { Build } = JSON.parse(description.cause ?? '')
  give()
  await machines.states.send(new RedriveExecutionCommand({ executionArn }))
  const redriven = await machines.ended(executionArn)
  const failed = (await machines.history(executionArn)).find(({ type }) => type === 'TaskFailed')

  expect({ status, error }).toEqual({ status: 'FAILED', error: 'States.TaskFailed' })
  expect(Build).toMatchObject({ BuildStatus: 'FAILED', ProjectName: expect.any(String) })
  expect(Build.Phases[6].Contexts[0].StatusCode).toBe('COMMAND_EXECUTION_ERROR')
  expect(redriven.output.Build).toMatchObject({ BuildStatus: 'SUCCEEDED', BuildNumber: 2 })
  expect(failed?.taskFailedEventDetails).toMatchObject({ resourceType: 'codebuild', resource: 'startBuild.sync' })
})

test('a build that somebody stops fails the Task', async () => {
  const project = await commands('sleep 73')
  const arn = await machines.start(await machines.create('Run', { Run: task(project) }))
  const build = await firstOf(project)
  await projects.codebuild.send(new StopBuildCommand({ id: build.id }))
  const { error, description } = await machines.ended(arn)

  expect(error).toBe('States.TaskFailed')
  expect(JSON.parse(description.cause ?? '').Build.BuildStatus).toBe('STOPPED')
})

test('what StartBuild refuses has the name of its exception, to catch', async () => {
  const busy = await projects.project(buildspec({ build: ['sleep 73'] }), { concurrentBuildLimit: 1 })
  const { id } = await projects.start(busy)
  const catching = (name: string) => ({
    Catch: [{ ErrorEquals: [name], Output: '{% $states.errorOutput.Cause %}', Next: 'Caught' }],
    End: true,
  })
  const Caught = { Type: 'Succeed' }
  const refused = await machines.run('Run', {
    Run: task(busy, catching('CodeBuild.AccountLimitExceededException')),
    Caught,
  })
  const missing = await machines.run('Run', {
    Run: task('nowhere', catching('CodeBuild.ResourceNotFoundException')),
    Caught,
  })
  await projects.codebuild.send(new StopBuildCommand({ id }))

  expect(refused.output).toContain('Cannot have more than 1 builds')
  expect(missing.output).toContain('nowhere')
})

test('a Task that takes longer than its TimeoutSeconds stops its build', async () => {
  const project = await commands('sleep 73')
  const { executionArn, error } = await machines.run('Run', { Run: task(project, { TimeoutSeconds: 1, End: true }) })

  expect(error).toBe('States.Timeout')
  expect((await firstOf(project)).buildStatus).toBe('STOPPED')
  expect((await machines.history(executionArn)).map(({ type }) => type)).toContain('TaskTimedOut')
})

test('a stopped execution stops its build', async () => {
  const project = await commands('sleep 73')
  const executionArn = await machines.start(await machines.create('Run', { Run: task(project) }))
  const build = await firstOf(project)
  await machines.states.send(new StopExecutionCommand({ executionArn }))

  expect((await projects.ended(build)).buildStatus).toBe('STOPPED')
  expect((await machines.history(executionArn)).at(-1)?.type).toBe('ExecutionAborted')
})

test('a branch that fails stops the build of the other', async () => {
  const project = await commands('sleep 73')
  const branch = (States: object) => ({ StartAt: Object.keys(States)[0], States })
  const { error } = await machines.run('Both', {
    Both: {
      Type: 'Parallel',
      Branches: [
        branch({ Run: task(project) }),
        branch({ Pause: { Type: 'Wait', Seconds: 1, Next: 'Bad' }, Bad: { Type: 'Fail', Error: 'Sibling' } }),
      ],
      End: true,
    },
  })

  expect(error).toBe('Sibling')
  expect((await firstOf(project)).buildStatus).toBe('STOPPED')
})

/** As soon as there is one. */
async function firstOf(projectName: string): Promise<Build> {
  const ids = async () => (await projects.codebuild.send(new ListBuildsForProjectCommand({ projectName }))).ids ?? []
  await expect.poll(ids, { timeout: 5_000, interval: 20 }).toHaveLength(1)
  return projects.describe({ id: (await ids())[0] })
}
