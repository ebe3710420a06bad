/** Starts the execution that a committed batch asks for. */
import { ExecutionAlreadyExists, type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn'
import { errorFacts } from '../errors.ts'
import { EXECUTION_START_TIMEOUT_MS } from '../limits.ts'
import { logger } from '../logger.ts'

/**
 * Starts an execution, or learns that it was started before: name and input are those of the batch row, so "already exists"
 * means started. Gives up after 3 s and never throws, since the batch is committed and its row asks for the start until
 * it is done.
 *
 * @returns whether the execution is known to be started
 */
export async function startExecution(
  sfn: SFNClient,
  stateMachineArn: string,
  { name, input }: { name: string; input: string },
): Promise<boolean> {
  try {
    const deadline = AbortSignal.timeout(EXECUTION_START_TIMEOUT_MS)
    await sfn.send(new StartExecutionCommand({ stateMachineArn, name, input }), { abortSignal: deadline })
    return true
  } catch (error) {
    if (error instanceof ExecutionAlreadyExists) return true
    logger.warn('execution not started; the batch row keeps asking for it', { execution: name, ...errorFacts(error) })
    return false
  }
}
