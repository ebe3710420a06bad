/** Questions to the ledger, by way of the function that stands beside the database in its private subnet. */
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda'
import { z } from 'zod'
import { type LedgerAnswer, type LedgerQuestion, ledgerAnswers } from '../../handlers/read-ledger/contract.ts'
import { CommandFailed } from './errors.ts'
import type { Stage } from './stage.ts'

/** What Lambda answers when a function throws. */
const functionError = z.object({ errorType: z.string().default('Error'), errorMessage: z.string().default('') })

/**
 * Asks the ledger of a stage.
 *
 * @throws {CommandFailed} when the function fails, or answers in a shape of another release
 */
export async function askLedger<Name extends LedgerQuestion['question']>(
  { name: stage, lambda }: Pick<Stage, 'name' | 'lambda'>,
  question: Extract<LedgerQuestion, { question: Name }>,
): Promise<LedgerAnswer<Name>> {
  const functionName = `sluice-${stage}-read-ledger`
  const answer = await invokeFunction(lambda, functionName, question)
  const name: Name = question.question
  const result = ledgerAnswers[name].safeParse(answer)
  if (result.success) return result.data as LedgerAnswer<Name>
  const [issue] = result.error.issues
  throw new CommandFailed(
    `${functionName} answered in a way that this release does not understand ` +
      `(${issue?.path.join('.')}: ${issue?.message}): use the release of Sluice that is deployed`,
  )
}

/**
 * Calls a function of a stage.
 *
 * @throws {CommandFailed} when the function fails
 */
export async function invokeFunction(lambda: LambdaClient, functionName: string, input: unknown): Promise<unknown> {
  const { FunctionError, Payload } = await lambda.send(
    new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(input) }),
  )
  const answer: unknown = JSON.parse(Payload?.transformToString() || 'null')
  if (FunctionError === undefined) return answer
  const { errorType, errorMessage } = functionError.catch({ errorType: FunctionError, errorMessage: '' }).parse(answer)
  throw new CommandFailed(
    errorType === 'LedgerNotRead'
      ? `${errorMessage}. Is the database up? Its functions log to /aws/lambda/${functionName}`
      : `${functionName} failed with ${errorType}: ${errorMessage}. Its log: /aws/lambda/${functionName}`,
  )
}
