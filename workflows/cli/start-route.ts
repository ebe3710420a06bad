/** Starts a route of the state machine, in the name of whoever types the command. */
import { StartExecutionCommand } from '@aws-sdk/client-sfn'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import { findStateMachine } from './executions.ts'
import type { Stage } from './stage.ts'

type RouteInput = { readonly trigger: string } & Readonly<Record<string, unknown>>

/**
 * @param kind how the execution's name begins
 * @param input the route's input, to which the caller's own ARN is added
 * @returns the execution's name
 */
export async function startRoute(stage: Stage, kind: string, input: RouteInput): Promise<string> {
  const { Arn: requestedBy = 'unknown' } = await stage.sts.send(new GetCallerIdentityCommand())
  const name = `${kind}-${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')}`
  const stateMachineArn = await findStateMachine(stage)
  await stage.sfn.send(
    new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify({ ...input, requestedBy }) }),
  )
  return name
}
