import { describe, expect, test } from 'vitest'
import { identityOf } from '../../../db/files.ts'
import { planSlices, type ReceivedMessage, receiveMessage } from '../../../handlers/ingest/plan-slices.ts'
import { OBJECT_BYTES_MAX } from '../../../handlers/limits.ts'
import { type CreatedObjectFields, s3Message, s3Record, sqsRecord, withoutSequencer } from '../../support/s3-events.ts'

const MEBIBYTE = 1024 * 1024

/** A message that names these objects; their keys are their names. */
function message(receives: number, ...objects: CreatedObjectFields[]): ReceivedMessage {
  const record = sqsRecord(s3Message(...objects.map((object) => s3Record({ versionId: 'v', ...object }))))
  record.attributes.ApproximateReceiveCount = String(receives)
  return receiveMessage(record)
}

const plan = (
  messages: ReceivedMessage[],
  known: Record<string, { isSettled?: boolean; openAttempts?: number }> = {},
) => {
  const facts = Object.entries(known).map(([key, { isSettled = false, openAttempts = 0 }]) => {
    return [identityOf({ bucket: 'landing', key, versionId: 'v' }), { isSettled, openAttempts }] as const
  })
  return planSlices(messages, new Map(facts)).map(({ kind, objects, messages }) => ({
    kind,
    keys: objects.map(({ key }) => key),
    messages: messages.length,
  }))
}

describe('files that come for the first time', () => {
  test('are one slice', () => {
    expect(plan([message(1, { key: 'a' }), message(1, { key: 'b' })])).toEqual([
      { kind: 'together', keys: ['a', 'b'], messages: 2 },
    ])
  })

  test('are cut where they exceed 64 MiB; what is judged unread weighs nothing', () => {
    const files = [
      { key: 'a', size: 32 * MEBIBYTE },
      { key: 'b', size: 32 * MEBIBYTE },
      { key: 'c', size: OBJECT_BYTES_MAX + 1 },
      { key: 'd', size: 1 },
    ]
    expect(plan(files.map((file) => message(1, file)))).toEqual([
      { kind: 'together', keys: ['a', 'b', 'c'], messages: 3 },
      { kind: 'together', keys: ['d'], messages: 1 },
    ])
  })

  test('are in one slice once, however many messages name them', () => {
    expect(plan([message(1, { key: 'a' }), message(1, { key: 'a' }, { key: 'b' })])).toEqual([
      { kind: 'together', keys: ['a', 'b'], messages: 2 },
    ])
  })
})

describe('files that came before', () => {
  test('come after the new ones, each alone, those with attempts that never ended last', () => {
    const messages = [
      message(2, { key: 'a' }),
      message(5, { key: 'b' }),
      message(1, { key: 'c' }),
      message(3, { key: 'd' }),
    ]
    expect(plan(messages, { a: { openAttempts: 2 }, b: { openAttempts: 1 }, d: { openAttempts: 0 } })).toEqual([
      { kind: 'together', keys: ['c'], messages: 1 },
      { kind: 'alone', keys: ['d'], messages: 1 },
      { kind: 'alone', keys: ['b'], messages: 1 },
      { kind: 'alone', keys: ['a'], messages: 1 },
    ])
  })

  test('are not touched again after three attempts that never ended', () => {
    expect(plan([message(4, { key: 'a' }), message(4, { key: 'b' })], { a: { openAttempts: 3 } })).toEqual([
      { kind: 'crashed', keys: ['a'], messages: 1 },
      { kind: 'alone', keys: ['b'], messages: 1 },
    ])
  })

  test('are left out when their outcome is committed', () => {
    expect(plan([message(2, { key: 'a' })], { a: { isSettled: true } })).toEqual([])
  })

  test('are alone even when a first message names them too', () => {
    expect(plan([message(1, { key: 'a' }), message(2, { key: 'a' })])).toEqual([
      { kind: 'alone', keys: ['a'], messages: 2 },
    ])
  })
})

test('messages that name no object go to the first slice, which is made for them if need be', () => {
  const unreadable = receiveMessage(sqsRecord('hello'))
  expect(plan([unreadable])).toEqual([{ kind: 'together', keys: [], messages: 1 }])
  expect(plan([message(2, { key: 'a' }), unreadable])).toEqual([{ kind: 'alone', keys: ['a'], messages: 2 }])
})

test('a message with something unreadable is kept even when all that it names is settled', () => {
  const body = s3Message(s3Record({ key: 'a', versionId: 'v' }), { eventVersion: '9.0' })
  const record = sqsRecord(body)
  record.attributes.ApproximateReceiveCount = '2'
  expect(plan([receiveMessage(record)], { a: { isSettled: true } })).toEqual([
    { kind: 'together', keys: [], messages: 1 },
  ])
})

test('of a version that an event, a listing and a replay name, all that they say is kept, whichever comes last', () => {
  const event = s3Record({ key: 'a', versionId: 'v', sequencer: '0A' })
  const listed = withoutSequencer(event)
  const replay = { id: 7, copyKey: null }
  const bodies = [s3Message(event), s3Message(listed), JSON.stringify({ Records: [listed], replay })]

  for (const order of [bodies, bodies.toReversed()]) {
    const [slice] = planSlices(
      order.map((body) => receiveMessage(sqsRecord(body))),
      new Map(),
    )
    expect(slice?.objects).toMatchObject([{ key: 'a', sequencer: '0A', replay }])
  }
})
