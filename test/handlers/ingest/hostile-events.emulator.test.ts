import { GetObjectCommand } from '@aws-sdk/client-s3'
import { eq } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { files, messages } from '../../../db/schema.ts'
import { quarantineFiles } from '../../../handlers/quarantine-files/quarantine-files.ts'
import { openIngest } from '../../support/open-ingest.ts'
import { orderText } from '../../support/orders.ts'
import { s3Message, s3Record } from '../../support/s3-events.ts'

const ascii = Array.from({ length: 127 }, (_, code) => String.fromCharCode(code + 1)).join('')

/** A name that makes the key 1,024 bytes long, the most that S3 allows. */
const long = (text: string) => {
  const room = 1_024 - Buffer.byteLength('input/orders/.json')
  const filled = text.repeat(Math.ceil(room / Buffer.byteLength(text)))
  // Cut where a character ends, then filled to the byte.
  const cut = Buffer.from(filled)
    .subarray(0, room)
    .toString()
    .replace(/\u{fffd}+$/u, '')
  return cut + 'x'.repeat(room - Buffer.byteLength(cut))
}

test.each([
  { what: 'every character of ASCII', name: ascii },
  { what: 'spaces at both ends', name: ' leading and trailing ' },
  { what: 'what URLs encode', name: 'a+b c%20d%2Bé%&x=1' },
  { what: 'what URLs end with', name: '?versionId=null#fragment' },
  { what: 'quotes', name: `"one" 'two' \`three\`` },
  { what: 'backslashes', name: 'back\\slash\\u0000\\' },
  { what: 'line breaks', name: 'line\nbreak\r\n\ttab' },
  { what: 'folders without a name', name: 'a//b/./c/../d' },
  { what: 'SQL', name: "'; drop table ingest.files; --" },
  { what: 'emoji and marks that combine', name: '🪅👩‍👩‍👧e\u0301' },
  { what: 'text from right to left', name: '\u{202e}right to left\u{feff}' },
  { what: 'the last characters of Unicode', name: '\u{ffff}\u{10ffff}\u{e000}' },
  { what: '1,024 bytes of one each', name: long('x') },
  { what: '1,024 bytes that triple when encoded', name: long('%') },
  { what: '1,024 bytes of four each', name: long('🪅') },
  { what: '1,024 bytes of all ASCII', name: long(ascii) },
])('a key with $what is loaded, and when it is bad it is quarantined', async ({ name }) => {
  const key = `input/orders/${name}.json`
  await using pipeline = await openIngest()
  const { s3, bucket, database, dependencies, put } = pipeline
  await pipeline.ingest(await put(key, orderText()), await put(key, 'bad'))

  const rows = await pipeline.ledgerRows()
  expect(rows.map((row) => [row.key, row.status]).toSorted()).toEqual([
    [key, 'loaded'],
    [key, 'poison'],
  ])
  const poison = rows.filter(({ status }) => status === 'poison').map(({ id }) => id)
  await quarantineFiles({ s3, withDatabase: dependencies.withDatabase }, poison)

  const [quarantined] = await database.select().from(files).where(eq(files.status, 'quarantined'))
  expect(quarantined).toMatchObject({ key, quarantineNote: null })
  const copy = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: quarantined?.quarantineKey ?? '' }))
  expect(await copy.Body?.transformToString()).toBe('bad')
})

describe('messages', () => {
  const event = (fields: object) => s3Message({ ...s3Record(), ...fields })
  const object = (fields: object) => {
    const record = s3Record()
    return s3Message({ ...record, s3: { ...record.s3, object: { ...record.s3.object, ...fields } } })
  }
  const unreadable = [
    { body: '', reason: /not JSON/ },
    { body: 'hello', reason: /not JSON/ },
    { body: 'null', reason: /not an S3 event/ },
    { body: '[]', reason: /not an S3 event/ },
    { body: '{"Records":[]}', reason: /Records/ },
    { body: '{"Message":"an envelope of SNS"}', reason: /Records/ },
    { body: `${'['.repeat(100_000)}${']'.repeat(100_000)}`, reason: /not an S3 event/ },
    { body: 'a NUL \0 and half a pair \ud800', reason: /not JSON/ },
    { body: event({ eventVersion: '1.0' }), reason: /major version/ },
    { body: event({ eventVersion: '3.0' }), reason: /major version/ },
    { body: event({ eventName: 'ObjectRemoved:Delete' }), reason: /not the creation/ },
    { body: event({ eventTime: '0000-01-01T00:00:00Z' }), reason: /1970 to 9999/ },
    { body: event({ eventTime: '9999-12-31T23:59:59-01:00' }), reason: /1970 to 9999/ },
    { body: object({ key: 'input/orders/%00.json' }), reason: /has a NUL/ },
    { body: object({ key: 'input/orders/%ff.json' }), reason: /not URL-encoded UTF-8/ },
    { body: object({ key: 'input/orders/\ud800.json' }), reason: /half a surrogate pair/ },
    { body: object({ key: `input/orders/${'x'.repeat(5_000)}.json` }), reason: /longer than 1024 bytes/ },
    { body: object({ versionId: undefined }), reason: /must be versioned/ },
    { body: object({ versionId: 'v\0' }), reason: /has a NUL/ },
  ]

  test('that name no object are kept with a reason, and cost those beside them nothing', async () => {
    await using pipeline = await openIngest()
    const good = await pipeline.put('input/orders/1.json', orderText())

    const response = await pipeline.ingestBodies([...unreadable.map(({ body }) => body), s3Message(good)])

    expect(response).toEqual({ batchItemFailures: [] })
    expect(await pipeline.ledgerRows()).toMatchObject([{ key: 'input/orders/1.json', status: 'loaded' }])
    const kept = await pipeline.database.select().from(messages)
    expect(kept).toHaveLength(unreadable.length)
    for (const { body, reason } of unreadable) {
      const readable = body.replaceAll('\0', '\u{2400}').toWellFormed()
      expect(kept.find((message) => message.body === readable)?.reason, body.slice(0, 80)).toMatch(reason)
    }
  })

  test.each([
    { what: 'an older minor version', fields: { eventVersion: '2.0' } },
    { what: 'a newer minor version with more fields', fields: { eventVersion: '2.99', more: {} } },
    { what: 'the first time there is', fields: { eventTime: '1970-01-01T00:00:00.000Z' } },
    { what: 'the last time there is', fields: { eventTime: '9999-12-31T23:59:59.999Z' } },
    { what: 'no size and no sequencer', objectFields: { size: undefined, sequencer: undefined } },
    { what: 'a sequencer in lower case', objectFields: { sequencer: '00ab' } },
    { what: 'a size that is not so', objectFields: { size: 1 } },
  ])('with $what are taken as they come', async ({ fields = {}, objectFields = {} }) => {
    await using pipeline = await openIngest()
    const record = await pipeline.put('input/orders/1.json', orderText())
    const object = { ...record.s3.object, ...objectFields }

    const response = await pipeline.ingest({ ...record, ...fields, s3: { ...record.s3, object } })

    expect(response).toEqual({ batchItemFailures: [] })
    const sequencer = object.sequencer ?? null
    expect(await pipeline.ledgerRows()).toMatchObject([{ status: 'loaded', sequencer, sizeBytes: object.size ?? null }])
  })
})
