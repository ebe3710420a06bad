import { once } from 'node:events'
import { createServer } from 'node:http'
import { eq, type SQL, sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { documents, files } from '../../../db/schema.ts'
import { OBJECT_BYTES_MAX, RECORDS_MAX } from '../../../handlers/limits.ts'
import type { ReasonKind } from '../../../handlers/reasons.ts'
import { awsClients } from '../../support/aws.ts'
import { exactValue } from '../../support/json.ts'
import { type OpenIngest, openIngest } from '../../support/open-ingest.ts'
import { orderText } from '../../support/orders.ts'
import { portOf } from '../../support/ports.ts'
import { s3Message } from '../../support/s3-events.ts'

const line = (fields: object = {}) =>
  JSON.stringify({
    movement_id: 'M-1',
    sku: 'S-1',
    warehouse: 'HAM-1',
    delta: 2,
    reason: 'sale',
    moved_at: '2026-11-24T10:00:00Z',
    ...fields,
  })
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
const order = orderText()

/** Everything that a file can do to its loader, one of each. */
const hostileFiles: readonly {
  what: string
  key: string
  body: string | Uint8Array
  kind: ReasonKind
  path: string
}[] = [
  { what: 'no byte', key: 'orders/1', body: '', kind: 'empty', path: '$' },
  { what: 'no line', key: 'stock-movements/1', body: '\r\n\n', kind: 'empty', path: '$' },
  {
    what: 'a byte too many',
    key: 'orders/2',
    body: Buffer.alloc(OBJECT_BYTES_MAX + 1, 32),
    kind: 'too-large',
    path: '$',
  },
  { what: '101 levels', key: 'github/1', body: nested(101), kind: 'too-deep', path: '$' },
  { what: '100,000 levels', key: 'github/2', body: nested(100_000), kind: 'too-deep', path: '$' },
  {
    what: '50,001 lines',
    key: 'stock-movements/2',
    body: `${line()}\n`.repeat(RECORDS_MAX + 1),
    kind: 'too-many-records',
    path: '$',
  },
  {
    what: '50,001 features',
    key: 'earthquakes/1',
    body: JSON.stringify({ features: Array(RECORDS_MAX + 1).fill(0) }),
    kind: 'too-many-records',
    path: '$.features',
  },
  {
    what: 'a gzip file',
    key: 'orders/3',
    body: Buffer.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0),
    kind: 'invalid-utf8',
    path: '$',
  },
  {
    what: 'a byte order mark of UTF-16',
    key: 'orders/4',
    body: Buffer.of(0xff, 0xfe),
    kind: 'invalid-utf8',
    path: '$',
  },
  {
    what: 'half a pair as three bytes',
    key: 'orders/5',
    body: Buffer.of(0x22, 0xed, 0xa0, 0x80, 0x22),
    kind: 'invalid-utf8',
    path: '$',
  },
  {
    what: 'a second byte order mark',
    key: 'orders/6',
    body: `\u{feff}\u{feff}${order}`,
    kind: 'unparsable',
    path: '$',
  },
  { what: 'an encoded NUL', key: 'github/3', body: '{"a":{"b":"\\u0000"}}', kind: 'database-refused', path: '$.a.b' },
  { what: 'a bare NUL', key: 'github/4', body: '{"a":"\0"}', kind: 'unparsable', path: '$.a' },
  {
    what: 'half a surrogate pair',
    key: 'github/5',
    body: '{"a":["\\udc00"]}',
    kind: 'database-refused',
    path: '$.a[0]',
  },
  {
    what: 'a number of too many digits',
    key: 'github/6',
    body: '{"a":1e131072}',
    kind: 'database-refused',
    path: '$.a',
  },
  {
    what: 'a number too close to zero',
    key: 'github/7',
    body: '{"a":1e400,"b":1e-16384}',
    kind: 'database-refused',
    path: '$.b',
  },
  { what: 'NaN', key: 'orders/7', body: orderText().replace('19.9', 'NaN'), kind: 'unparsable', path: '$.total' },
  { what: 'garbage behind', key: 'orders/8', body: `${order}</html>`, kind: 'unparsable', path: '$' },
  { what: 'two documents', key: 'orders/9', body: order + order, kind: 'unparsable', path: '$' },
  { what: 'a comma at every byte', key: 'orders/10', body: ','.repeat(1_000_000), kind: 'unparsable', path: '$' },
  {
    what: 'one bad line',
    key: 'stock-movements/3',
    body: `${line()}\n{"sku":\n${line()}`,
    kind: 'unparsable',
    path: '$[1].sku',
  },
  {
    what: 'one bad record',
    key: 'stock-movements/4',
    body: `${line()}\n${line({ delta: '2' })}`,
    kind: 'contract',
    path: '$[1].delta',
  },
  { what: 'text at the top', key: 'orders/11', body: '"order"', kind: 'contract', path: '$' },
  { what: 'null at the top', key: 'orders/12', body: 'null', kind: 'contract', path: '$' },
  {
    what: 'null where records are',
    key: 'earthquakes/2',
    body: '{"features":null}',
    kind: 'contract',
    path: '$.features',
  },
  {
    what: 'a field missing at depth',
    key: 'orders/13',
    body: orderText({ customer: { id: 'C-1' } }),
    kind: 'contract',
    path: '$.customer.country',
  },
  {
    what: 'a field mistyped at depth',
    key: 'orders/14',
    body: orderText({ lines: [{ sku: 1, quantity: 1, unit_price: 1 }] }),
    kind: 'contract',
    path: '$.lines[0].sku',
  },
  {
    what: 'the wrong one of two equal names',
    key: 'orders/15',
    body: order.replace('"total"', '"total":1,"total":null,"x"'),
    kind: 'contract',
    path: '$.total',
  },
  { what: 'no source', key: 'nobody/1', body: order, kind: 'unknown-source', path: '$' },
]

test('every hostile file is refused for what it is, beside a good one, in one invocation', async () => {
  await using pipeline = await openIngest()
  const hostile = await Promise.all(hostileFiles.map(({ key, body }) => pipeline.put(`input/${key}.json`, body)))
  const good = await pipeline.put('input/orders/good.json', order)

  expect(await pipeline.ingest(...hostile, good)).toEqual({ batchItemFailures: [] })

  const rows = new Map((await pipeline.ledgerRows()).map((row) => [row.key, row]))
  for (const { what, key, kind, path } of hostileFiles) {
    const { status, reason, records } = rows.get(`input/${key}.json`) ?? {}
    expect({ what, status, kind: reason?.kind, path: reason?.issues[0]?.path, records }).toEqual({
      what,
      status: 'poison',
      kind,
      path,
      records: null,
    })
  }
  expect(rows.get('input/orders/good.json')).toMatchObject({ status: 'loaded', records: 1 })
  expect(await pipeline.database.$count(documents)).toBe(1)
})

test('a file whose event says no size is refused when S3 says that it is too large, or that it is empty', async () => {
  await using pipeline = await openIngest()
  const withoutSize = async (name: string, body: string | Uint8Array) => {
    const record = await pipeline.put(`input/orders/${name}.json`, body)
    Reflect.deleteProperty(record.s3.object, 'size')
    return record
  }
  await pipeline.ingest(
    await withoutSize('large', Buffer.alloc(OBJECT_BYTES_MAX + 1)),
    await withoutSize('empty', ''),
    await withoutSize('good', order),
  )
  const kinds = (await pipeline.ledgerRows()).map(({ key, reason }) => [key, reason?.kind])
  expect(Object.fromEntries(kinds)).toEqual({
    'input/orders/large.json': 'too-large',
    'input/orders/empty.json': 'empty',
    'input/orders/good.json': undefined,
  })
})

describe('what looks hostile and is not', () => {
  /** What is stored of the only file of a key, and how many records the ledger counts. */
  async function stored({ database }: OpenIngest, key: string, part: SQL) {
    const rows = await database
      .select({ records: files.records, value: sql<string>`(${part})::text` })
      .from(documents)
      .innerJoin(files, eq(files.id, documents.fileId))
      .where(eq(files.key, key))
    expect(rows).toHaveLength(1)
    return rows[0]
  }

  test('numbers beyond JavaScript are stored to the last digit, in fields of the contract too', async () => {
    await using pipeline = await openIngest()
    const digits = '12345678901234567890123'
    await pipeline.ingest(
      await pipeline.put('input/orders/1.json', order.replace('19.9', digits).replace('9.95', '1e400')),
      await pipeline.put(
        'input/stock-movements/1.json',
        `${line()}\r\n\r\n${line().replace(':2,', `:${digits}.10,`)}\r\n`,
      ),
    )
    expect(await stored(pipeline, 'input/orders/1.json', sql`payload->>'total'`)).toEqual({ records: 1, value: digits })
    const price = await stored(pipeline, 'input/orders/1.json', sql`payload#>>'{lines,0,unit_price}'`)
    expect(price?.value).toBe(`1${'0'.repeat(400)}`)
    expect(await stored(pipeline, 'input/stock-movements/1.json', sql`payload#>>'{1,delta}'`)).toEqual({
      records: 2,
      value: `${digits}.10`,
    })
  })

  test('of two properties of one name the last is validated, and the last is stored', async () => {
    await using pipeline = await openIngest()
    const twice = order.replace('"total"', '"total":null,"total":2,"total"')
    await pipeline.ingest(await pipeline.put('input/orders/1.json', twice))
    expect(await stored(pipeline, 'input/orders/1.json', sql`payload->>'total'`)).toEqual({ records: 1, value: '19.9' })
  })

  test('a byte order mark, names of the prototype and a feed without records', async () => {
    await using pipeline = await openIngest()
    const names = '{"__proto__":{"a":1},"constructor":null,"":0,"toString":"x"}'
    await pipeline.ingest(
      await pipeline.put('input/github/1.json', `\u{feff}${names}`),
      await pipeline.put('input/earthquakes/1.json', '{"features":[]}'),
    )
    const { value = '' } = (await stored(pipeline, 'input/github/1.json', sql`payload`)) ?? {}
    expect(exactValue(value)).toEqual(exactValue(names))
    expect(await stored(pipeline, 'input/earthquakes/1.json', sql`payload`)).toMatchObject({ records: 0 })
  })
})

test('a body that the network cut off comes again, even when what came of it is a good document', async () => {
  await using pipeline = await openIngest()
  const record = await pipeline.put('input/orders/1.json', order)
  await using server = createServer((_, response) => {
    response.writeHead(200, { 'content-length': Buffer.byteLength(order) + 1 })
    response.write(order, () => response.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { s3 } = awsClients(`http://127.0.0.1:${portOf(server)}`)
  const reader = { ...pipeline.dependencies.reader, s3 }

  const response = await pipeline.ingestBodies([s3Message(record)], { reader })

  expect(response.batchItemFailures).toHaveLength(1)
  expect(await pipeline.ledgerRows()).toEqual([])
  expect(await pipeline.ingest(record)).toEqual({ batchItemFailures: [] })
  expect(await pipeline.ledgerRows()).toMatchObject([{ status: 'loaded' }])
})
