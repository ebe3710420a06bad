/** Waits until a cloud has nothing left to do, and sets going again by hand what nothing sets going by itself. */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  DescribeExecutionCommand,
  type ExecutionStatus,
  paginateListExecutions,
  RedriveExecutionCommand,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn'
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs'
import { and, eq, isNotNull, isNull, sql } from 'drizzle-orm'
import { z } from 'zod'
import { batches, files } from '../../../db/schema.ts'
import { SWEEP_AFTER_MINUTES } from '../../../handlers/limits.ts'
import type { Deployment } from '../../../infra/local/demo/deployment.ts'

const LOOK_INTERVAL_MS = 2_000

/** Looks that must agree: between two of them a message may be in nobody's hands, or an execution about to be listed. */
const QUIET_LOOKS = 3

/** Seconds for all that is left to do. A backlog of an outage takes two minutes; what takes ten goes round in circles. */
const QUIET_LIMIT_SECONDS = 600

/** What one round leaves failed may still depend on what another one mended. */
const ROUNDS_MAX = 3

const UNSUCCESSFUL: readonly ExecutionStatus[] = ['FAILED', 'TIMED_OUT', 'ABORTED']

export interface FailedExecution {
  readonly arn: string
  readonly name: string
  readonly trigger: string
}

/** Messages of both queues, those in flight and delayed too. */
export async function countLeft({ sqs, queueUrl, deadLetterQueueUrl }: Deployment) {
  const countIn = async (QueueUrl: string) => {
    const kinds = ['', 'NotVisible', 'Delayed'] as const
    const AttributeNames = kinds.map((kind) => `ApproximateNumberOfMessages${kind}` as const)
    const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }))
    return Object.values(Attributes).reduce((sum, count) => sum + Number(count), 0)
  }
  return { queued: await countIn(queueUrl), deadLetters: await countIn(deadLetterQueueUrl) }
}

/** Returns when nothing is left to do, or with what is left when that takes too long. */
export async function untilQuiet(deployment: Deployment, onLook: (state: string) => void): Promise<string | undefined> {
  const deadline = Date.now() + QUIET_LIMIT_SECONDS * 1_000
  for (let quiet = 0; quiet < QUIET_LOOKS; ) {
    await sleep(LOOK_INTERVAL_MS)
    const { queued, deadLetters } = await countLeft(deployment)
    const running = (await listExecutions(deployment, 'RUNNING')).length
    quiet = queued + deadLetters + running === 0 ? quiet + 1 : 0
    const state = `${queued} messages queued, ${deadLetters} dead letters, ${running} executions running`
    onLook(state)
    if (Date.now() > deadline) return `not quiet after ${QUIET_LIMIT_SECONDS} s: ${state}`
  }
  return undefined
}

export async function listFailed(deployment: Deployment): Promise<FailedExecution[]> {
  const listed = await Promise.all(UNSUCCESSFUL.map((status) => listExecutions(deployment, status)))
  const failed: FailedExecution[] = []
  for (const { executionArn: arn = '', name = '' } of listed.flat()) {
    failed.push({ arn, name, trigger: await triggerOf(deployment, arn) })
  }
  return failed
}

export interface Mended {
  /** Executions that a redrive had succeed, by trigger. */
  readonly redriven: ReadonlyMap<string, number>
  /** Executions of batches that nobody had started: a worker was killed between its commit and the start. */
  readonly started: number
  /** Refused files whose copy was still to be made. */
  readonly copied: number
}

/**
 * Does what a person and the clock would: redrives every execution that failed, and sweeps. What a sweep takes for forgotten
 * after minutes is made so old.
 */
export async function mend(deployment: Deployment, onLook: (state: string) => void): Promise<Mended> {
  const failedBefore = await listFailed(deployment)
  const swept = { batches: 0, copies: 0 }
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const failed = await listFailed(deployment)
    // One after the other: what a person does in a console.
    for (const { arn } of failed) await deployment.sfn.send(new RedriveExecutionCommand({ executionArn: arn }))
    if (failed.length > 0) await untilQuiet(deployment, onLook)

    const forgotten = await makeForgottenOld(deployment)
    if (failed.length + forgotten.batches + forgotten.copies === 0) break
    const { stateMachineArn } = deployment
    await deployment.sfn.send(new StartExecutionCommand({ stateMachineArn, input: '{"trigger":"sweep"}' }))
    await untilQuiet(deployment, onLook)
    const left = await makeForgottenOld(deployment)
    swept.batches += forgotten.batches - left.batches
    swept.copies += forgotten.copies - left.copies
  }
  const stillFailed = new Set((await listFailed(deployment)).map(({ arn }) => arn))
  const redriven = Map.groupBy(
    failedBefore.filter(({ arn }) => !stillFailed.has(arn)),
    ({ trigger }) => trigger,
  )
  return {
    redriven: new Map([...redriven].map(([trigger, executions]) => [trigger, executions.length])),
    started: swept.batches,
    copied: swept.copies,
  }
}

/** Makes what a sweep would find later as old as it must be. Returns how much there is of it. */
async function makeForgottenOld({ database }: Deployment): Promise<{ batches: number; copies: number }> {
  const longAgo = sql`now() - make_interval(mins => ${SWEEP_AFTER_MINUTES + 1})`
  const unstarted = await database
    .update(batches)
    .set({ committedAt: longAgo })
    .where(and(isNull(batches.startedAt), isNotNull(batches.executionName)))
    .returning({ id: batches.id })
  const poison = await database
    .update(files)
    .set({ changedAt: longAgo })
    .where(eq(files.status, 'poison'))
    .returning({ id: files.id })
  return { batches: unstarted.length, copies: poison.length }
}

/** All executions, or those of one status. */
export async function listExecutions({ sfn, stateMachineArn }: Deployment, statusFilter?: ExecutionStatus) {
  const listed = []
  for await (const { executions = [] } of paginateListExecutions({ client: sfn }, { stateMachineArn, statusFilter })) {
    listed.push(...executions)
  }
  return listed
}

export async function triggerOf({ sfn }: Deployment, executionArn: string | undefined): Promise<string> {
  const { input = '{}' } = await sfn.send(new DescribeExecutionCommand({ executionArn }))
  return z.object({ trigger: z.string() }).parse(JSON.parse(input)).trigger
}
