import { describe, expect, test } from 'vitest'
import { parseMessage } from '../../handlers/contract.ts'
import { s3Message, s3Record } from '../support/s3-events.ts'

const unreadable = (body: string) => {
  const content = parseMessage(body)
  return 'unreadable' in content ? content.unreadable : undefined
}

describe('an S3 event', () => {
  test('names the object version, its key decoded', () => {
    const record = s3Record({ key: 'input/orders/a b+ü.json', versionId: 'v1', sequencer: '0A', size: 12 })
    expect(record.s3.object.key).toBe('input/orders/a+b%2B%C3%BC.json')
    expect(parseMessage(s3Message(record))).toEqual({
      objects: [
        {
          bucket: 'landing',
          key: 'input/orders/a b+ü.json',
          versionId: 'v1',
          sequencer: '0A',
          sizeBytes: 12,
          eventAt: new Date('2026-11-24T12:00:00.123Z'),
        },
      ],
    })
  })

  test('may hold several records', () => {
    expect(parseMessage(s3Message(s3Record(), s3Record()))).toMatchObject({ objects: [{}, {}] })
  })

  test.each(['2.0', '2.1', '2.6', '2.42'])('of version %s is read', (eventVersion) => {
    expect(parseMessage(s3Message({ ...s3Record(), eventVersion }))).toMatchObject({ objects: [{}] })
  })

  test('sent as a test names nothing', () => {
    const body = JSON.stringify({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'landing' })
    expect(parseMessage(body)).toEqual({ objects: [] })
  })
})

describe('a message that names no object version', () => {
  test.each([
    ['is not JSON', 'hello', /not JSON/],
    ['is null', 'null', /not an S3 event/],
    ['has no records', '{"Records":[]}', /Records/],
    [
      'is of another major version',
      s3Message({ ...s3Record(), eventVersion: '3.0' }),
      /eventVersion is not of major version 2/,
    ],
    ['is about a removal', s3Message({ ...s3Record(), eventName: 'ObjectRemoved:Delete' }), /not the creation/],
    ['comes from an unversioned bucket', s3Message(s3Record({ versionId: undefined })), /the bucket must be versioned/],
  ])('%s', (_, body, reason) => {
    expect(unreadable(body)).toMatch(reason)
  })

  test('has a key that is not URL-encoded', () => {
    const record = s3Record()
    record.s3.object.key = 'input/%zz.json'
    expect(unreadable(s3Message(record))).toMatch(/key is not URL-encoded/)
  })
})
