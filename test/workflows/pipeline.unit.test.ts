import validate from 'asl-validator'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import * as contract from '../../handlers/contract.ts'
import * as errors from '../../handlers/errors.ts'
import { type Graph, parseDefinition, pipelineDefinition, placesOf, scopesOf } from './definition.ts'
import { lint } from './lint.ts'
import { run } from './run.ts'

const batch = (poisonFileIds: number[]): contract.BatchInput =>
  contract.batchInput.parse({ trigger: 'batch', batchId: 7, poisonFileIds })

const quarantined = (count: number): { QuarantineFiles: { Payload: contract.QuarantineFilesOutcome } } => ({
  QuarantineFiles: { Payload: { quarantined: count, withoutCopy: 0, unchanged: 0 } },
})

/** What a Task is called with when a Lambda function stands behind it. */
const lambdaCall = z.strictObject({ FunctionName: z.string(), Payload: z.unknown() })

/** `${QuarantineFilesFunctionArn}` is accepted by the contract `quarantineFilesInput`. */
function contractOf(functionName: string): z.ZodType {
  const [, name = ''] = /^\$\{(.+)FunctionArn\}$/.exec(functionName) ?? []
  const schema: unknown = Object.entries(contract).find(
    ([key]) => key === `${name.charAt(0).toLowerCase()}${name.slice(1)}Input`,
  )?.[1]
  if (!(schema instanceof z.ZodType)) throw new Error(`handlers/contract.ts has no input for ${functionName}`)
  return schema
}

/** Errors that AWS raises. All others come from the handlers. */
const isAwsError = (name: string): boolean => /^(States|Lambda|Runtime|Sandbox)\./.test(name)

/** The names by which a definition retries or catches the handlers' own errors. */
const ownErrorsOf = (definition: Graph): string[] =>
  scopesOf(definition)
    .flatMap(placesOf)
    .flatMap(({ state }) => [...(state.Retry ?? []), ...(state.Catch ?? [])])
    .flatMap(({ ErrorEquals }) => ErrorEquals)
    .filter((name) => !isAwsError(name))

/** The error classes of handlers/errors.ts: the name they are exported by, and the name their instances bear. */
const errorClasses = Object.entries(errors).flatMap(([exportedAs, value]) =>
  typeof value === 'function' && value.prototype instanceof Error
    ? [{ exportedAs, name: new (value as new () => Error)().name }]
    : [],
)

describe('the definition', () => {
  test('is one that Step Functions accepts', () => {
    const { isValid, errorsText } = validate(pipelineDefinition())

    expect(errorsText()).toBe('')
    expect(isValid).toBe(true)
  })

  test('has nothing that the lint objects to', async () => {
    expect(await lint(pipelineDefinition())).toEqual([])
  })

  test('would not pass with a mistake in it', () => {
    const definition = pipelineDefinition()
    definition.StartAt = 'ChoseRoute'

    expect(validate(definition).isValid).toBe(false)
  })
})

describe('the route', () => {
  test('of a batch with poison goes through QuarantineFiles', async () => {
    const { route, output } = await run(pipelineDefinition(), batch([3, 5]), quarantined(2))

    expect(route).toEqual(['ChooseRoute', 'QuarantineFiles', 'Done'])
    expect(output).toEqual({ ...batch([3, 5]), quarantine: quarantined(2).QuarantineFiles.Payload })
  })

  test('of a batch without poison has exactly two transitions', async () => {
    const { route, output } = await run(pipelineDefinition(), batch([]))

    expect(route).toEqual(['ChooseRoute', 'Done'])
    expect(output).toEqual(batch([]))
  })

  test.each([
    ['an unknown trigger', { trigger: 'bach', batchId: 7, poisonFileIds: [3] }, "'bach'"],
    ['no trigger', {}, 'trigger'],
    ['a trigger that is no text', { trigger: { batch: true } }, 'batch'],
  ])('of %s ends in UnknownTrigger, which says what it got', async (_, input, named) => {
    const { route, output } = await run(pipelineDefinition(), input)

    expect(route).toEqual(['ChooseRoute', 'UnknownTrigger'])
    expect(output).toEqual({ Error: 'UnknownTrigger', Cause: expect.stringContaining(named.replaceAll("'", '')) })
  })

  test('exists for every trigger that UnknownTrigger calls known', async () => {
    const { output } = await run(pipelineDefinition(), {})
    const { Cause } = z.object({ Cause: z.string() }).parse(output)
    const known = /Known: (.+)\.$/.exec(Cause)?.[1]?.split(', ') ?? []

    expect(known).toEqual([contract.batchInput.shape.trigger.value])
  })
})

describe('definition and handlers', () => {
  test('agree on the payload of every Task, however many files are poison', async () => {
    const poisonFileIds = fc.array(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), {
      minLength: 1,
      maxLength: 100,
    })

    await fc.assert(
      fc.asyncProperty(poisonFileIds, async (ids) => {
        const { calls } = await run(pipelineDefinition(), batch(ids), quarantined(ids.length))

        const tasks = Object.keys(calls)
        expect(tasks).toEqual(['QuarantineFiles'])
        for (const call of Object.values(calls)) {
          const { FunctionName, Payload } = lambdaCall.parse(call)
          expect(contractOf(FunctionName).parse(Payload)).toEqual({ fileIds: ids })
        }
      }),
      { numRuns: 30 },
    )
  })

  test('leave no Task whose function has no contract', () => {
    const functionNames = scopesOf(pipelineDefinition())
      .flatMap(placesOf)
      .flatMap(({ state }) => state.Arguments?.FunctionName ?? [])

    expect(functionNames).not.toEqual([])
    expect(functionNames.map(contractOf)).toHaveLength(functionNames.length)
    expect(() => contractOf('$' + '{QuarantineFileFunctionArn}')).toThrow('no input')
  })

  test('agree on the names of errors: what is retried or caught is a class of handlers/errors.ts', () => {
    const exported = errorClasses.map(({ exportedAs }) => exportedAs)

    expect(exported).toEqual(expect.arrayContaining(ownErrorsOf(pipelineDefinition())))
  })

  test('would not agree on an error that no class bears', () => {
    const definition = parseDefinition({
      StartAt: 'Load',
      States: {
        Load: {
          Type: 'Task',
          Retry: [{ ErrorEquals: ['QuarantineIncomplete', 'States.Timeout'] }],
          Catch: [{ ErrorEquals: ['QuarantineIncomplet', 'Lambda.Unknown'], Next: 'Done' }],
        },
      },
    })

    expect(ownErrorsOf(definition)).toEqual(['QuarantineIncomplete', 'QuarantineIncomplet'])
    expect(errorClasses.map(({ exportedAs }) => exportedAs)).toContain('QuarantineIncomplete')
    expect(errorClasses.map(({ exportedAs }) => exportedAs)).not.toContain('QuarantineIncomplet')
  })

  test('see the same name: every error bears the name that it is exported by', () => {
    expect(errorClasses).not.toEqual([])
    for (const { exportedAs, name } of errorClasses) expect(name).toBe(exportedAs)
  })
})
