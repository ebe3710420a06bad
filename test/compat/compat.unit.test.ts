/**
 * A redriven execution runs its old definition on the code of today. Each Task has here the input that the release before
 * sent it; a change that no longer takes one breaks redrives, and must take both. At a release the fixtures are renewed.
 */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { z } from 'zod'
import * as contract from '../../handlers/contract.ts'
import { pipelineDefinition, placesOf, scopesOf } from '../workflows/definition.ts'

/** The contract of the function behind a Task: `${QuarantineFilesFunctionArn}` has `quarantineFilesInput`. */
function contractOf(functionName: string): z.ZodType {
  const [, name = ''] = /^\$\{(\w+)FunctionArn\}$/.exec(functionName) ?? []
  const inputs: Readonly<Record<string, unknown>> = contract
  const schema = inputs[`${name.charAt(0).toLowerCase()}${name.slice(1)}Input`]
  if (!(schema instanceof z.ZodType)) throw new Error(`handlers/contract.ts has no input for ${functionName}`)
  return schema
}

const tasks = scopesOf(pipelineDefinition())
  .flatMap(placesOf)
  .flatMap(({ name, state }) => {
    const functionName = state.Arguments?.FunctionName
    return typeof functionName === 'string' ? [{ name, functionName }] : []
  })

test.each(tasks)('$name takes what the release before sent it', ({ name, functionName }) => {
  const input = JSON.parse(readFileSync(new URL(`${name}.json`, import.meta.url), 'utf8'))
  expect(contractOf(functionName).safeParse(input)).toMatchObject({ success: true })
})

test('there is a Task at all', () => {
  expect(tasks.map(({ name }) => name)).toContain('QuarantineFiles')
})
