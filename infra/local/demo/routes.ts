/** Walks the routes of the state machine that no file takes by itself when all goes well, and says what each one did. */
import { setTimeout as sleep } from 'node:timers/promises'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { DescribeExecutionCommand, paginateListExecutions, StartExecutionCommand } from '@aws-sdk/client-sfn'
import { SendMessageCommand } from '@aws-sdk/client-sqs'
import { listVersions } from '../../../db/accounting.ts'
import { listTransforms } from '../../../db/transforms.ts'
import type { Deployment } from './deployment.ts'
import { generateOrders } from './orders.ts'

export interface WalkedRoute {
  readonly route: string
  readonly execution: string
  readonly status: string
  /** What it did, in a few words. */
  readonly told: string
}

/** Milliseconds for one route. The alarm alone takes its minute, which is 5 s here; dbt's packages may be to be installed. */
const ROUTE_LIMIT_MS = 180_000

/** Milliseconds until a transform is asked for again that another kept from running. */
const ANOTHER_TRY_MS = 2_000

/** Must be called when nothing else is going on. */
export async function walkRoutes(deployment: Deployment): Promise<WalkedRoute[]> {
  return [
    await walkDeadLetters(deployment),
    await walkReplay(deployment),
    await walkSweep(deployment),
    // Last, so that the marts have what the others loaded.
    await walkTransform(deployment),
  ]
}

/**
 * A message put straight into the dead-letter queue stands for the twelve receives of 7 minutes that lead there. It names
 * an object that the bucket's filter leaves out, so that nothing else loads it.
 */
async function walkDeadLetters(deployment: Deployment): Promise<WalkedRoute> {
  const { s3, sqs, bucket, deadLetterQueueUrl } = deployment
  const body = Buffer.concat(generateOrders(1).map((order) => order.body))
  const key = 'input/orders/received-too-often.json.late'
  const { VersionId: versionId } = await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }))
  const record = {
    eventVersion: '2.1',
    eventName: 'ObjectCreated:Put',
    eventTime: new Date().toISOString(),
    s3: { bucket: { name: bucket }, object: { key, versionId } },
  }
  const before = await listExecutionArns(deployment)
  await sqs.send(
    new SendMessageCommand({ QueueUrl: deadLetterQueueUrl, MessageBody: JSON.stringify({ Records: [record] }) }),
  )
  // Nobody starts it but the alarm.
  const started = await until('the alarm to start a drain', async () =>
    (await listExecutionArns(deployment)).find((arn) => !before.includes(arn)),
  )
  const { execution, status } = await untilEnded(deployment, started)
  const versions = await listVersions(deployment.database, bucket)
  const state = versions.find((version) => version.versionId === versionId)?.state ?? 'unknown'
  return { route: 'dead-letters', execution, status, told: `started by the alarm; its one file is ${state}` }
}

async function walkReplay(deployment: Deployment): Promise<WalkedRoute> {
  const started = await start(deployment, {
    trigger: 'replay',
    requestedBy: 'npm start',
    why: 'to show the way of a replay',
    selection: { source: 'orders', reason: 'contract' },
  })
  const { execution, status, output } = await untilEnded(deployment, started)
  const sent = 'filesSent' in output ? Number(output.filesSent) : 0
  return {
    route: 'replay',
    execution,
    status,
    told: `${sent} refused files were sent again; the contract is as it was`,
  }
}

async function walkSweep(deployment: Deployment): Promise<WalkedRoute> {
  const { execution, status, output } = await untilEnded(deployment, await start(deployment, { trigger: 'sweep' }))
  const isUp = 'isDatabaseUp' in output && output.isDatabaseUp === true
  return { route: 'sweep', execution, status, told: isUp ? 'nothing was forgotten' : 'the database did not answer' }
}

async function walkTransform(deployment: Deployment): Promise<WalkedRoute> {
  const started = await start(deployment, { trigger: 'transform', requestedBy: 'arn:aws:iam::000000000000:root' })
  const { execution, status, output } = await untilEnded(deployment, started)
  // A transform that a batch had begun runs still, and has not all that came since.
  if ('otherBuildId' in output) {
    await sleep(ANOTHER_TRY_MS)
    return await walkTransform(deployment)
  }
  const [run] = await listTransforms(deployment.database, 1)
  const failed = run?.failures.map(({ name }) => name).join(', ')
  const built =
    run?.nodes === 0
      ? 'nothing was new, since a batch had it run'
      : `${run?.nodes} models and tests of dbt, with what is new of ${run?.sources.join(', ')}`
  return { route: 'transform', execution, status, told: status === 'SUCCEEDED' ? built : `failed: ${failed}` }
}

async function start({ sfn, stateMachineArn }: Deployment, input: object): Promise<string> {
  const started = await sfn.send(new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }))
  return started.executionArn ?? ''
}

async function untilEnded({ sfn }: Deployment, executionArn: string) {
  return await until(`the execution ${executionArn} to end`, async () => {
    const { name = '', status = '', output } = await sfn.send(new DescribeExecutionCommand({ executionArn }))
    if (status === 'RUNNING') return undefined
    const parsed: unknown = JSON.parse(output ?? '{}')
    return { execution: name, status, output: typeof parsed === 'object' && parsed !== null ? parsed : {} }
  })
}

async function listExecutionArns({ sfn, stateMachineArn }: Deployment): Promise<string[]> {
  const arns: string[] = []
  for await (const { executions = [] } of paginateListExecutions({ client: sfn }, { stateMachineArn })) {
    arns.push(...executions.map(({ executionArn = '' }) => executionArn))
  }
  return arns
}

async function until<Result>(what: string, look: () => Promise<Result | undefined>): Promise<Result> {
  const deadline = Date.now() + ROUTE_LIMIT_MS
  while (Date.now() < deadline) {
    const result = await look()
    if (result !== undefined) return result
    await sleep(200)
  }
  throw new Error(`Waited ${ROUTE_LIMIT_MS / 1_000} s in vain for ${what}`)
}
