/** Questions about executions of the state machine. */
import { ExecutionStatus, paginateListExecutions, paginateListStateMachines, type SFNClient } from '@aws-sdk/client-sfn'
import { StageNotFound } from './stage.ts'

export const EXECUTION_STATUSES = Object.values(ExecutionStatus)

export interface ExecutionLine {
  readonly name: string
  readonly status: string
  /** ISO 8601, UTC. */
  readonly startedAt: string
  /** Null while it runs. */
  readonly seconds: number | null
}

/**
 * Executions of a stage's state machine, the newest first.
 *
 * @throws {StageNotFound} when the account and region have no such state machine
 */
export async function listExecutions(
  sfn: SFNClient,
  stage: string,
  { status, limit }: { status?: ExecutionStatus; limit: number },
): Promise<ExecutionLine[]> {
  const stateMachineArn = await findStateMachine(sfn, `sluice-${stage}-pipeline`)
  const filter = { stateMachineArn, ...(status && { statusFilter: status }) }
  const lines: ExecutionLine[] = []
  for await (const { executions = [] } of paginateListExecutions({ client: sfn, pageSize: 100 }, filter)) {
    for (const { name = '', status = '', startDate, stopDate } of executions) {
      if (lines.length === limit) return lines
      lines.push({
        name,
        status,
        startedAt: startDate?.toISOString() ?? '',
        seconds: startDate && stopDate ? (stopDate.getTime() - startDate.getTime()) / 1000 : null,
      })
    }
  }
  return lines
}

async function findStateMachine(sfn: SFNClient, name: string): Promise<string> {
  for await (const { stateMachines = [] } of paginateListStateMachines({ client: sfn }, {})) {
    const found = stateMachines.find((stateMachine) => stateMachine.name === name)
    if (found?.stateMachineArn) return found.stateMachineArn
  }
  throw new StageNotFound(`There is no state machine ${name} here. Check --stage, the AWS account and the region.`)
}
