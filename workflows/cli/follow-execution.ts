/** Waits for an execution that a command has started. */
import { setTimeout as wait } from 'node:timers/promises'
import { DescribeExecutionCommand } from '@aws-sdk/client-sfn'
import { findExecution } from './executions.ts'
import type { Stage } from './stage.ts'

/** Milliseconds between two looks at an execution. What is waited for takes a minute or more. */
export const LOOK_INTERVAL_MS = 2_000

/** Milliseconds between two lines that say it still runs. */
const LINE_INTERVAL_MS = 15_000

export interface EndedExecution {
  readonly status: string
  /** Of one that succeeded, parsed from JSON. */
  readonly output: unknown
  /** Name of the error of one that did not; empty where there is none. */
  readonly error: string
}

/** Waits for the end of an execution, and says on stderr that it still runs. Ctrl-C ends the waiting alone. */
export async function followExecution(stage: Stage, name: string): Promise<EndedExecution> {
  const executionArn = await findExecution(stage, name)
  const startedAt = Date.now()
  for (let lines = 1; ; ) {
    const { status = '', output, error = '' } = await stage.sfn.send(new DescribeExecutionCommand({ executionArn }))
    if (status !== 'RUNNING') return { status, output: JSON.parse(output ?? '{}'), error }
    await wait(LOOK_INTERVAL_MS)
    const seconds = Math.round((Date.now() - startedAt) / 1_000)
    if (seconds * 1_000 < lines * LINE_INTERVAL_MS) continue
    console.error(`Still running, for ${seconds} s`)
    lines++
  }
}
