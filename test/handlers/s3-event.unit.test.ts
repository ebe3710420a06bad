import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseMessage } from '../../handlers/s3-event.ts'
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

  test.each(['2.0', '2.1', '2.6', '2.42'])('of version %s is read, whatever fields it has besides', (eventVersion) => {
    const record = { ...s3Record(), eventVersion, glacierEventData: {}, awsGeneratedTags: [{ key: 'a' }] }
    expect(parseMessage(s3Message(record))).toMatchObject({ objects: [{}] })
  })

  test('may lack size and sequencer', () => {
    const record = s3Record()
    const { key, versionId } = record.s3.object
    const lacking = { ...record, s3: { ...record.s3, object: { key, versionId } } }
    expect(parseMessage(s3Message(lacking))).toMatchObject({ objects: [{ sizeBytes: null, sequencer: null }] })
  })

  test('may have a sequencer in lower case', () => {
    expect(parseMessage(s3Message(s3Record({ sequencer: '0055aed6dcd90281e5' })))).toMatchObject({
      objects: [{ sequencer: '0055aed6dcd90281e5' }],
    })
  })

  test('names any key that S3 allows', () => {
    const anyKey = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 256 })
      .filter((key) => key.isWellFormed() && !key.includes('\0'))
    fc.assert(
      fc.property(anyKey, (key) => {
        expect(parseMessage(s3Message(s3Record({ key })))).toMatchObject({ objects: [{ key }] })
      }),
    )
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

  test.each([
    ['is of a major version before ours', { eventVersion: '1.0' }, /eventVersion is not of major version 2/],
    ['says no time', { eventTime: 'yesterday' }, /eventTime/],
    ['lacks the object', { s3: undefined }, /s3/],
  ])('%s', (_, fields, reason) => {
    expect(unreadable(s3Message({ ...s3Record(), ...fields }))).toMatch(reason)
  })

  test.each([
    ['a key that is not URL-encoded', { key: 'input/%zz.json' }, /key is not URL-encoded UTF-8$/],
    ['a key that is not UTF-8', { key: 'input/%ff.json' }, /key is not URL-encoded UTF-8$/],
    ['a key that ends within a character', { key: 'input/%E2%82' }, /key is not URL-encoded UTF-8$/],
    ['a key with an encoded NUL', { key: 'input/%00.json' }, /key has a NUL, which PostgreSQL cannot hold$/],
    ['a key with a bare NUL', { key: 'input/\0.json' }, /key has a NUL/],
    ['a key with half a surrogate pair', { key: 'input/\ud800.json' }, /key has half a surrogate pair$/],
    ['a key of 1,025 bytes', { key: 'ä'.repeat(512).concat('a') }, /key is longer than 1024 bytes$/],
    ['no key', { key: undefined }, /key/],
    ['a version id with a NUL', { versionId: '\0' }, /versionId has a NUL/],
    ['a sequencer that is not hexadecimal', { sequencer: 'later' }, /sequencer is not hexadecimal$/],
    ['a size below zero', { size: -1 }, /size/],
  ])('has %s', (_, fields, reason) => {
    const record = s3Record()
    Object.assign(record.s3.object, fields)
    expect(unreadable(s3Message(record))).toMatch(reason)
  })
})
