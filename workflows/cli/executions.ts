/** Questions about executions of the state machine. */
import {
  DescribeExecutionCommand,
  ExecutionDoesNotExist,
  ExecutionStatus,
  paginateListExecutions,
  paginateListStateMachines,
  type SFNClient,
} from '@aws-sdk/client-sfn'
import { StageNotFound } from './errors.ts'
import type { Stage } from './stage.ts'

export const EXECUTION_STATUSES = Object.values(ExecutionStatus)

/** Executions counted at most. A day at the normal load has 7,700; more would take minutes at Step Functions' request rate. */
const EXECUTIONS_COUNTED_MAX = 10_000

type StageWithExecutions = Pick<Stage, 'name' | 'sfn'>

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
  stage: StageWithExecutions,
  { status, limit }: { status?: ExecutionStatus | undefined; limit: number },
): Promise<ExecutionLine[]> {
  const lines: ExecutionLine[] = []
  for await (const line of walkExecutions(stage, status)) {
    if (lines.length === limit) break
    lines.push(line)
  }
  return lines
}

export interface ExecutionCounts {
  readonly byStatus: Readonly<Record<string, number>>
  /** False when there were more than are counted; the newest are. */
  readonly isComplete: boolean
}

/** How many executions that started since an instant have which status. */
export async function countExecutions(stage: StageWithExecutions, since: Date): Promise<ExecutionCounts> {
  const byStatus: Record<string, number> = {}
  let counted = 0
  for await (const { status, startedAt } of walkExecutions(stage)) {
    if (new Date(startedAt) < since) break
    if (counted++ === EXECUTIONS_COUNTED_MAX) return { byStatus, isComplete: false }
    byStatus[status] = (byStatus[status] ?? 0) + 1
  }
  return { byStatus, isComplete: true }
}

export interface ExecutionState {
  readonly arn: string
  /** Null when Step Functions does not know it: never started, or ended more than 90 days ago. */
  readonly status: string | null
}

/** What became of the executions with these names. */
export async function describeExecutions(
  stage: StageWithExecutions,
  names: readonly string[],
): Promise<Map<string, ExecutionState>> {
  if (names.length === 0) return new Map()
  const stateMachineArn = await findStateMachine(stage)
  const states = names.map(async (name) => {
    const arn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`
    return [name, { arn, status: await readStatus(stage.sfn, arn) }] as const
  })
  return new Map(await Promise.all(states))
}

/** The ARN of an execution, given by its ARN or its name. */
export async function findExecution(stage: StageWithExecutions, nameOrArn: string): Promise<string> {
  if (nameOrArn.startsWith('arn:')) return nameOrArn
  return `${(await findStateMachine(stage)).replace(':stateMachine:', ':execution:')}:${nameOrArn}`
}

async function readStatus(sfn: SFNClient, executionArn: string): Promise<string | null> {
  try {
    const { status } = await sfn.send(new DescribeExecutionCommand({ executionArn }))
    return status ?? null
  } catch (error) {
    if (error instanceof ExecutionDoesNotExist) return null
    throw error
  }
}

async function* walkExecutions(stage: StageWithExecutions, status?: ExecutionStatus): AsyncGenerator<ExecutionLine> {
  const stateMachineArn = await findStateMachine(stage)
  const filter = { stateMachineArn, ...(status && { statusFilter: status }) }
  for await (const { executions = [] } of paginateListExecutions({ client: stage.sfn, pageSize: 1_000 }, filter)) {
    for (const { name = '', status = '', startDate, stopDate } of executions) {
      yield {
        name,
        status,
        startedAt: startDate?.toISOString() ?? '',
        seconds: startDate && stopDate ? (stopDate.getTime() - startDate.getTime()) / 1_000 : null,
      }
    }
  }
}

/** @throws {StageNotFound} when the account and region have no such state machine */
export async function findStateMachine({ name: stage, sfn }: StageWithExecutions): Promise<string> {
  const name = `sluice-${stage}-pipeline`
  for await (const { stateMachines = [] } of paginateListStateMachines({ client: sfn }, {})) {
    const found = stateMachines.find((stateMachine) => stateMachine.name === name)
    if (found?.stateMachineArn) return found.stateMachineArn
  }
  throw new StageNotFound(
    `no Sluice stage '${stage}' in this account and region: check --stage, AWS_PROFILE, AWS_REGION`,
  )
}
