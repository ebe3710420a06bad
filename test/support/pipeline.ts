/** A deployed pipeline, and what end-to-end tests do with it. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { DescribeExecutionCommand, GetExecutionHistoryCommand, paginateListExecutions } from '@aws-sdk/client-sfn'
import { SendMessageCommand } from '@aws-sdk/client-sqs'
import { eq } from 'drizzle-orm'
import { expect, vi } from 'vitest'
import { documents, files } from '../../db/schema.ts'
import type { Deployment } from '../../infra/local/demo/deployment.ts'
import { describeNotice, type Notice, openInbox } from '../../infra/local/demo/inbox.ts'
import { s3Record } from './s3-events.ts'

/** Puts a file and waits until it is settled; then the ledger forgets it, as if its message had never been ingested. */
export async function putUnknown(pipeline: Deployment, name: string, body: string) {
  const Key = `input/orders/dead/${name}.json`
  const put = new PutObjectCommand({ Bucket: pipeline.bucket, Key, Body: body })
  const { VersionId: versionId = '' } = await pipeline.s3.send(put)
  const id = await vi.waitFor(
    async () => {
      const [found] = await pipeline.database.select().from(files).where(eq(files.versionId, versionId))
      expect(['loaded', 'quarantined']).toContain(found?.status)
      return found?.id ?? 0
    },
    { timeout: 20_000, interval: 200 },
  )
  await pipeline.database.delete(documents).where(eq(documents.fileId, id))
  await pipeline.database.delete(files).where(eq(files.versionId, versionId))
  return s3Record({ bucket: pipeline.bucket, key: Key, versionId, size: Buffer.byteLength(body) })
}

/** Puts a message straight into the dead-letter queue, in the place of one that was received too often. */
export const die = (pipeline: Deployment, body: string) =>
  pipeline.sqs.send(new SendMessageCommand({ QueueUrl: pipeline.deadLetterQueueUrl, MessageBody: body }))

/** Waits for an execution to end. */
export async function untilEnded(pipeline: Deployment, executionArn: string, milliseconds = 40_000) {
  return await vi.waitFor(
    async () => {
      const described = await pipeline.sfn.send(new DescribeExecutionCommand({ executionArn }))
      expect(described.status).not.toBe('RUNNING')
      return described
    },
    { timeout: milliseconds, interval: 200 },
  )
}

/** The states that an execution entered, in order, those inside a Map too. */
export async function statesOf(pipeline: Deployment, executionArn: string): Promise<string[]> {
  const { events = [] } = await pipeline.sfn.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }))
  return events.flatMap((event) => event.stateEnteredEventDetails?.name ?? [])
}

/** ARNs of all executions, the newest first. */
export async function listExecutionArns(pipeline: Deployment): Promise<string[]> {
  const arns: string[] = []
  const { stateMachineArn } = pipeline
  for await (const { executions = [] } of paginateListExecutions({ client: pipeline.sfn }, { stateMachineArn })) {
    arns.push(...executions.map(({ executionArn = '' }) => executionArn))
  }
  return arns
}

/** Drains that started since these executions were all there were. */
export async function findDrains(pipeline: Deployment, before: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const arn of await listExecutionArns(pipeline)) {
    if (before.includes(arn)) continue
    const { input } = await pipeline.sfn.send(new DescribeExecutionCommand({ executionArn: arn }))
    if (JSON.parse(input ?? '{}').trigger === 'dead-letters') found.push(arn)
  }
  return found
}

/**
 * Subscribes to what people are told. The functions it returns give the texts that have come so far; those of alarms apart, which
 * come when a minute is over.
 */
export async function listenToNotices(pipeline: Deployment) {
  const inbox = await openInbox(pipeline, `inbox-${Date.now()}`)
  const heard: Notice[] = []
  const hear = async () => {
    heard.push(...(await inbox()))
    return Object.groupBy(heard, ({ Message }) => (Message.includes('"AlarmName"') ? 'alarms' : 'notices'))
  }
  return {
    notices: async () => ((await hear()).notices ?? []).map(({ Message }) => Message),
    /** As `npm start` says them. */
    alarms: async () => ((await hear()).alarms ?? []).map(describeNotice),
  }
}

/** Runs the command line as a person would whose environment names this cloud. Returns what it prints; throws when it fails. */
export async function runSluice(endpoint: string, ...args: string[]): Promise<string> {
  const program = join(import.meta.dirname, '../../workflows/cli/sluice.ts')
  const env = {
    PATH: process.env.PATH,
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  }
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], { env })
  return stdout
}
