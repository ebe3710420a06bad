/** Puts the files at a steady pace, and has some of their events sent twice. */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  GetBucketNotificationConfigurationCommand,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs'
import pLimit from 'p-limit'
import type { Deployment } from '../../../infra/local/demo/deployment.ts'
import { integerBetween } from '../../../infra/local/demo/random.ts'
import type { Random } from '../../../workflows/capacity/random.ts'
import { type SoakFile, TWICE_PREFIX } from './inputs.ts'

/** Puts at the same time. A cloud that is slower than the pace holds up the puts, and does not fill this process. */
const PUTS_IN_FLIGHT = 16

/** Seconds after which an event comes again, at most: while the first is on its way, in a batch, or loaded. */
const SECOND_EVENT_SECONDS_MAX = 45

/** A file with the version that S3 made of it. */
export interface PutFile extends SoakFile {
  readonly versionId: string
}

/** @param onPut called after each put, which may be in another order than that of the files */
export async function putAtPace(
  { s3, bucket }: Deployment,
  files: readonly SoakFile[],
  filesPerSecond: number,
  onPut: (file: PutFile) => void,
): Promise<void> {
  const limit = pLimit(PUTS_IN_FLIGHT)
  const start = performance.now()
  const puts: Promise<void>[] = []
  for (const [position, file] of files.entries()) {
    await sleep(Math.max(0, start + (position / filesPerSecond) * 1_000 - performance.now()))
    const before = file.overwrites === undefined ? undefined : puts[file.overwrites]
    const put = async () => {
      await before
      const command = new PutObjectCommand({ Bucket: bucket, Key: file.key, Body: file.body })
      const { VersionId: versionId = '' } = await s3.send(command)
      onPut({ ...file, versionId })
    }
    puts.push(limit(put))
    if (limit.pendingCount > PUTS_IN_FLIGHT) await puts.at(-PUTS_IN_FLIGHT)
  }
  await Promise.all(puts)
}

/** Has S3 tell a queue of our own of files below {@link TWICE_PREFIX} too. Returns its URL. */
export async function listenToEvents({ s3, sqs, bucket }: Deployment): Promise<string> {
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: 'soak-events' }))
  const { QueueConfigurations = [] } = await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket: bucket }))
  const ours = QueueConfigurations.map((theirs) => ({
    ...theirs,
    Id: 'soak-events',
    QueueArn: theirs.QueueArn?.replace(/[^:]*$/, 'soak-events'),
    Filter: { Key: { FilterRules: [{ Name: 'prefix' as const, Value: TWICE_PREFIX }] } },
  }))
  await s3.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket: bucket,
      NotificationConfiguration: { QueueConfigurations: [...QueueConfigurations, ...ours] },
    }),
  )
  return QueueUrl
}

/** Sends what has come to our queue to the ingest queue, byte by byte what S3 had sent there. Returns how many. */
export async function sendEventsAgain({ sqs, queueUrl }: Deployment, events: string, random: Random): Promise<number> {
  let sent = 0
  while (true) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: events, MaxNumberOfMessages: 10 }))
    if (Messages.length === 0) return sent
    for (const { Body = '', ReceiptHandle } of Messages) {
      // S3 sends a test when it is told of a queue. It names no object.
      if (!Body.includes('s3:TestEvent')) {
        const DelaySeconds = integerBetween(random, 0, SECOND_EVENT_SECONDS_MAX)
        await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: Body, DelaySeconds }))
        sent++
      }
      await sqs.send(new DeleteMessageCommand({ QueueUrl: events, ReceiptHandle }))
    }
  }
}
