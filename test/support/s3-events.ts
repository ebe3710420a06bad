/** Makes S3 event notifications, and the SQS messages that carry them. */
import { randomBytes, randomUUID } from 'node:crypto'
import type { Context, SQSEvent, SQSRecord } from 'aws-lambda'

export interface CreatedObjectFields {
  bucket?: string
  key?: string
  versionId?: string | undefined
  sequencer?: string
  size?: number
}

/** One record, its key encoded as S3 does. */
export function s3Record(fields: CreatedObjectFields = {}) {
  const { bucket = 'landing', key = 'input/orders/1.json', sequencer = '0055AED6DCD90281E5', size = 2 } = fields
  const versionId = 'versionId' in fields ? fields.versionId : randomBytes(8).toString('hex')
  return {
    eventVersion: '2.1',
    eventSource: 'aws:s3',
    awsRegion: 'us-east-1',
    eventTime: '2026-11-24T12:00:00.123Z',
    eventName: 'ObjectCreated:Put',
    s3: {
      bucket: { name: bucket, arn: `arn:aws:s3:::${bucket}` },
      object: {
        key: encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+'),
        size,
        versionId,
        sequencer,
      },
    },
  }
}

/** What a listing knows of the same version. */
export function withoutSequencer({ s3, ...record }: ReturnType<typeof s3Record>): object {
  const { sequencer: _, ...object } = s3.object
  return { ...record, s3: { ...s3, object } }
}

export const s3Message = (...records: object[]): string => JSON.stringify({ Records: records })

/** An SQS message as Lambda hands it to a function. */
export function sqsRecord(body: string): SQSRecord {
  return {
    messageId: randomUUID(),
    receiptHandle: 'receipt',
    body,
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: '0',
      SenderId: 'sender',
      ApproximateFirstReceiveTimestamp: '0',
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:queue',
    awsRegion: 'us-east-1',
  }
}

export const sqsEvent = (...bodies: string[]): SQSEvent => ({ Records: bodies.map(sqsRecord) })

/** The part of Lambda's context that handlers use. */
export function lambdaContext(remainingMilliseconds = 60_000): Context {
  const context: Partial<Context> = {
    awsRequestId: randomUUID(),
    functionName: 'test',
    getRemainingTimeInMillis: () => remainingMilliseconds,
  }
  return context as Context
}
