/** Redriving: an execution that failed goes on at the state that failed, with the input it had. */
import { setTimeout as wait } from 'node:timers/promises'
import { DescribeExecutionCommand, RedriveExecutionCommand, type SFNClient } from '@aws-sdk/client-sfn'

export interface RedriveCandidate {
  readonly arn: string
  readonly name: string
  readonly status: string
  /** Why AWS would refuse; null when it would not. */
  readonly refusal: string | null
}

/** Redrives a second. Step Functions allows more; what is set going again must not take the database down again. */
const REDRIVES_PER_SECOND = 5

/** What would become of a redrive, asked before anything is done. */
export async function examine(sfn: SFNClient, executionArn: string): Promise<RedriveCandidate> {
  const described = await sfn.send(new DescribeExecutionCommand({ executionArn }))
  const isRedrivable = described.redriveStatus === 'REDRIVABLE'
  return {
    arn: executionArn,
    name: described.name ?? executionArn,
    status: described.status ?? '',
    // Older than 14 days, more than 24,999 events, succeeded or running: Step Functions itself says which.
    refusal: isRedrivable ? null : (described.redriveStatusReason ?? 'Step Functions does not say why'),
  }
}

/** Redrives one after the other. `onRedriven` is called after each. */
export async function redriveAll(
  sfn: SFNClient,
  candidates: readonly RedriveCandidate[],
  onRedriven: (candidate: RedriveCandidate) => void,
): Promise<void> {
  for (const [index, candidate] of candidates.entries()) {
    if (index > 0) await wait(1_000 / REDRIVES_PER_SECOND)
    // The token makes a call that is repeated, since its answer was lost, one redrive.
    const clientToken = crypto.randomUUID()
    await sfn.send(new RedriveExecutionCommand({ executionArn: candidate.arn, clientToken }))
    onRedriven(candidate)
  }
}
