import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { pipelineDefinition, placesOf, scopesOf, substitutionsOf } from '../workflows/definition.ts'
import { permissionsOf, roleOf } from './permissions.ts'
import { at, onlyOne, outputFolder, type Resource, readable, resources, targetOf } from './synthesized.ts'

const machine = onlyOne('AWS::StepFunctions::StateMachine')
const substitutions: Record<string, Resource['properties']> = machine.properties.DefinitionSubstitutions
const functionOf = (substitution: string): Resource | undefined =>
  resources.find(({ id }) => id === targetOf(substitutions[substitution] ?? {}))

describe('the state machine', () => {
  test('is deployed from the definition that the other tests look at', () => {
    const [, hash] = /^([0-9a-f]+)\.json$/.exec(machine.properties.DefinitionS3Location.Key) ?? []
    const deployed = readFileSync(join(outputFolder, `asset.${hash}.json`), 'utf8')

    expect(JSON.parse(deployed)).toEqual(pipelineDefinition())
  })

  test('substitutes every name in its definition, and none that is not there', () => {
    expect(Object.keys(substitutions).sort()).toEqual(substitutionsOf(pipelineDefinition()))
  })

  const functionNames = substitutionsOf(pipelineDefinition()).filter((name) => name.endsWith('FunctionArn'))

  test('substitutes functions, the topic of notices and the project of the transform', () => {
    const others = substitutionsOf(pipelineDefinition()).filter((name) => !functionNames.includes(name))

    expect(others.map((name) => [name, readable(substitutions[name] ?? {})])).toEqual([
      ['NoticeTopicArn', 'Notices/Topic'],
      ['TransformProjectName', 'Transform/Project'],
    ])
  })

  test.each(functionNames)('calls by %s the function whose folder is named alike', (name) => {
    const folder = name
      .replace(/FunctionArn$/, '')
      .replaceAll(/(?<!^)[A-Z]/g, '-$&')
      .toLowerCase()

    expect(functionOf(name)?.type).toBe('AWS::Lambda::Function')
    expect(functionOf(name)?.properties.FunctionName).toBe(`sluice-local-${folder}`)
    expect(existsSync(new URL(`../../handlers/${folder}/handler.ts`, import.meta.url))).toBe(true)
  })

  test('may call exactly the functions that its definition names', () => {
    const invocable = Object.entries(permissionsOf(roleOf(machine)))
      .filter(([, actions]) => actions.includes('lambda:InvokeFunction'))
      .map(([resource]) => resource.replace(/:\*$/, ''))
    const named = functionNames.map((name) => readable(substitutions[name] ?? {}))

    expect(new Set(invocable)).toEqual(new Set(named))
  })

  test('may besides only publish notices, start itself, run the build of the transform and deliver its log', () => {
    const { '*': anything = [], ...others } = permissionsOf(roleOf(machine))
    const besides = Object.entries(others).filter(([, actions]) => !actions.includes('lambda:InvokeFunction'))

    expect(anything.filter((action) => !action.startsWith('logs:'))).toEqual([])
    expect(
      new Set(
        Object.values(others)
          .filter((actions) => actions.includes('lambda:InvokeFunction'))
          .flat(),
      ),
    ).toEqual(new Set(['lambda:InvokeFunction']))
    expect(Object.fromEntries(besides)).toEqual({
      'Notices/Topic': ['sns:Publish'],
      'Orchestration/Pipeline': ['states:StartExecution'],
      'Transform/Project': [
        ...['codebuild:BatchGetBuilds', 'codebuild:BatchGetReports', 'codebuild:StartBuild', 'codebuild:StopBuild'],
      ],
      // By which Step Functions hears of the end of a build.
      'arn:aws:events:us-east-1:000000000000:rule/StepFunctionsGetEventForCodeBuildStartBuildRule': [
        ...['events:DescribeRule', 'events:PutRule', 'events:PutTargets'],
      ],
    })
  })

  test('loads no more dead letters at once than there are functions for them', () => {
    const MaxConcurrency = pipelineDefinition().States.LoadDeadLetters?.MaxConcurrency

    expect(MaxConcurrency).toBe(functionOf('LoadFileFunctionArn')?.properties.ReservedConcurrentExecutions)
  })

  test('waits for a build longer than it may wait and run', () => {
    const { QueuedTimeoutInMinutes, TimeoutInMinutes } = at('Transform/Project').properties

    expect(pipelineDefinition().States.RunDbt?.TimeoutSeconds).toBeGreaterThan(
      60 * (QueuedTimeoutInMinutes + TimeoutInMinutes),
    )
  })

  test('waits for every function longer than it can run, so that the function says what went wrong', () => {
    const tasks = scopesOf(pipelineDefinition())
      .flatMap(placesOf)
      .filter(({ state }) => state.Arguments?.FunctionName !== undefined)

    expect(tasks).not.toEqual([])
    for (const { state } of tasks) {
      const name = state.Arguments?.FunctionName?.slice(2, -1) ?? ''
      expect(state.TimeoutSeconds).toBeGreaterThan(functionOf(name)?.properties.Timeout)
    }
  })
})
