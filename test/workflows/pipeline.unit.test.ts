import validate from 'asl-validator'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import * as contract from '../../handlers/contract.ts'
import * as errors from '../../handlers/errors.ts'
import { CLAIM_PAGE } from '../../handlers/limits.ts'
import { type Graph, parseDefinition, pipelineDefinition, placesOf, scopesOf } from './definition.ts'
import { examples } from './examples.ts'
import { lint } from './lint.ts'
import { inTurn, routes } from './routes.ts'
import { run } from './run.ts'

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
const isAwsError = (name: string): boolean => /^(States|Lambda|Runtime|Sandbox|CodeBuild)\./.test(name)

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

describe('definition and handlers', () => {
  test.each(routes())('agree on the payload of every Task: $name', async ({ example, results, redriven }) => {
    const first = await run(pipelineDefinition(), examples.get(example), results)
    const second = await first.failure?.redrive(redriven?.results ?? {})
    const payloads = [...first.calls, ...(second?.calls ?? [])].flatMap(({ arguments: given }) => {
      const call = lambdaCall.safeParse(given)
      return call.success ? [call.data] : []
    })

    for (const { FunctionName, Payload } of payloads) expect(contractOf(FunctionName).parse(Payload)).toEqual(Payload)
  })

  test('agree on the payload of QuarantineFiles, however many files are poison', async () => {
    const fileIds = fc.array(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), { minLength: 1, maxLength: 100 })

    await fc.assert(
      fc.asyncProperty(fileIds, async (poisonFileIds) => {
        const input = contract.batchInput.parse({ trigger: 'batch', batchId: 7, poisonFileIds, transform: false })
        const { calls } = await run(pipelineDefinition(), input, { QuarantineFiles: { Payload: {} } })

        expect(calls.map((call) => lambdaCall.parse(call.arguments).Payload)).toEqual([{ fileIds: poisonFileIds }])
      }),
      { numRuns: 30 },
    )
  })

  test('agree on the items of LoadDeadLetters, however many there are', async () => {
    const page = fc.array(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), { minLength: 1, maxLength: CLAIM_PAGE })

    await fc.assert(
      fc.asyncProperty(page, async (fileIds) => {
        const { calls } = await run(pipelineDefinition(), examples.get('dead-letters'), {
          CollectDeadLetters: { Payload: { collected: 0, isDrained: true } },
          ClaimDeadLetters: inTurn({ Payload: { fileIds, notice: null } }, { Payload: { fileIds: [], notice: null } }),
          LoadFile: { Payload: {} },
        })

        const loads = calls.filter(({ state }) => state === 'LoadFile')
        expect(loads.map((call) => lambdaCall.parse(call.arguments).Payload)).toEqual(
          fileIds.map((fileId) => ({ fileId })),
        )
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
