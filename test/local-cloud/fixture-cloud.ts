// A laptop cloud with the fixture app deployed to it, and what the tests need to look at it as a client of AWS would.

import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { type Cloud, startCloud } from '../../infra/local/cloud.ts'
import { deployStack } from '../../infra/local/deploy.ts'

export const PASSWORD = 'the password of the template parameter'

/** What the fixture's Gather function says about one batch. */
export interface BatchReport {
  readonly numbers: readonly number[]
  readonly keys: readonly string[]
  readonly payloadBytes: number
}

/** Not shared with another run of the tests in this checkout. */
export async function startFixtureCloud(purpose: string): Promise<{ cloud: Cloud; outputs: Record<string, string> }> {
  const cloud = await startCloud({ name: `test-${purpose}-${process.pid}`, cloudwatchMinuteSeconds: 1 })
  try {
    return { cloud, outputs: await deployFixture(cloud) }
  } catch (error) {
    await stopFixtureCloud(cloud)
    throw error
  }
}

export async function stopFixtureCloud(cloud: Cloud | undefined): Promise<void> {
  await cloud?.stop()
  if (cloud) rmSync(cloud.directory, { recursive: true, force: true })
}

export function deployFixture(
  cloud: Cloud,
  { password = PASSWORD, context = {} }: { password?: string; context?: Record<string, string> } = {},
): Promise<Record<string, string>> {
  return deployStack(cloud, {
    app: 'node test/local-cloud/fixture/app.ts',
    parameters: { Password: password },
    context,
  })
}

export function clientOf(cloud: Cloud) {
  return {
    endpoint: cloud.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  }
}

/** Collects reports until `isEnough` says so. The test message that S3 sends when notifications are set up is left out. */
export async function reports(
  cloud: Cloud,
  queueUrl: string,
  isEnough: (reports: readonly BatchReport[]) => boolean,
): Promise<BatchReport[]> {
  const queue = new SQSClient(clientOf(cloud))
  const found: BatchReport[] = []
  const deadline = Date.now() + 20_000
  while (!isEnough(found)) {
    if (Date.now() > deadline) throw new Error(`After 20 s these are all reports: ${JSON.stringify(found)}`)
    const { Messages = [] } = await queue.send(
      new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }),
    )
    for (const { Body = '', ReceiptHandle } of Messages) {
      const report: BatchReport = JSON.parse(Body)
      if (report.numbers.length + report.keys.length > 0) found.push(report)
      await queue.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }))
    }
    if (Messages.length === 0) await sleep(50)
  }
  return found
}

export const sizesOf = (found: readonly BatchReport[]) => found.map(({ numbers }) => numbers.length)
export const total = (sizes: readonly number[]) => sizes.reduce((sum, size) => sum + size, 0)

/** Processes whose command line names the directory. */
export function processesIn(directory: string): string[] {
  const ps = spawnSync('ps', ['-A', '-ww', '-o', 'args='], { encoding: 'utf8' })
  return ps.stdout.split('\n').filter((line) => line.includes(`${directory}/`) || line.includes(`${directory} `))
}
