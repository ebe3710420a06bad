/** Twenty-seven files, each bad in a way of its own, and the reason that Sluice must give for it. */
import { RECORDS_MAX } from '../../../handlers/limits.ts'
import type { ReasonKind } from '../../../handlers/reasons.ts'
import type { NewObject } from './put-objects.ts'

export interface BadFile extends NewObject {
  /** The kind of reason it must be quarantined with. */
  readonly kind: ReasonKind
  /** JSON path of the first issue; `$` when the file as a whole is at fault. */
  readonly path: string
}

const line = (number: number) => ({ sku: `KIT-${number}`, quantity: number, unit_price: 4.5 })

/** A good order with five lines. Each file below changes one thing. */
const order = {
  order_id: 'SO-1',
  ordered_at: '2026-03-01T10:15:30+01:00',
  currency: 'EUR',
  total: 67.5,
  customer: { id: 'C-1', name: 'Zoë Müller', country: 'DE' },
  lines: [1, 2, 3, 4, 5].map(line),
}

const json = JSON.stringify(order)

/** The order's text with one part replaced; the part must be in it. */
function withText(part: string, replacement: string): string {
  if (!json.includes(part)) throw new Error(`${part} is not in the order`)
  return json.replace(part, () => replacement)
}

const withFields = (fields: Record<string, unknown>): string => JSON.stringify({ ...order, ...fields })

const movement = (number: number) =>
  JSON.stringify({
    movement_id: `M-${number}`,
    sku: `KIT-${number}`,
    warehouse: 'HAM-1',
    delta: number,
    reason: 'receipt',
    moved_at: '2026-03-01T10:15:30+01:00',
  })

/** A file of good movements, one a line, the fourth of them replaced; the blank line before it counts as a line. */
const withFourthLine = (line: string): string =>
  [movement(1), movement(2), movement(3), '', line, movement(5), ''].join('\n')

const feature = (mag: unknown) => ({
  type: 'Feature',
  id: 'us1000',
  properties: {
    mag,
    place: null,
    time: 1_517_966_773_840,
    updated: 1_517_966_996_303,
    status: 'reviewed',
    type: 'quake',
  },
  geometry: { type: 'Point', coordinates: [13.4, 52.5, 10] },
})

function bad(key: string, body: string | Uint8Array, kind: ReasonKind, path = '$'): BadFile {
  return { key: `input/${key}.json`, body: Buffer.from(body), kind, path }
}

export const badFiles: readonly BadFile[] = [
  bad('orders/bad/empty', '', 'empty'),
  bad('orders/bad/white-space-only', ' \r\n\t\n', 'empty'),

  bad('orders/bad/truncated', json.slice(0, json.indexOf(' Müller')), 'unparsable', '$.customer.name'),
  // The key has everything that an event encodes.
  bad('orders/bad/zwei Aufträge + 100 % mehr', `${json}\n${json}`, 'unparsable'),
  bad('orders/bad/trailing-garbage', `${json}\u0000\u0000\u0000\u0000`, 'unparsable'),
  bad('orders/bad/not-a-number', withText('67.5', 'NaN'), 'unparsable', '$.total'),
  bad('orders/bad/single-quotes', withText('"EUR"', "'EUR'"), 'unparsable', '$.currency'),
  bad('orders/bad/comment', withText('67.5', '/* net */ 67.5'), 'unparsable', '$.total'),

  // As Windows wrote it: ë and ü are single bytes.
  bad('orders/bad/latin-1', Buffer.from(json, 'latin1'), 'invalid-utf8'),
  bad('orders/bad/utf-16', Buffer.from(`\u{feff}${json}`, 'utf16le'), 'invalid-utf8'),

  bad('orders/bad/too-deep', withFields({ gift: nested(100) }), 'too-deep'),

  bad('github/bad/array-of-deliveries', JSON.stringify([{ action: 'opened' }]), 'contract'),
  bad('orders/bad/missing-customer', withFields({ customer: undefined }), 'contract', '$.customer'),
  bad('orders/bad/quantity-as-text', withText('"quantity":4', '"quantity":"4"'), 'contract', '$.lines[3].quantity'),
  bad('orders/bad/no-lines', withFields({ lines: [] }), 'contract', '$.lines'),
  bad('orders/bad/february-30', withText('2026-03-01', '2026-02-30'), 'contract', '$.ordered_at'),

  bad('earthquakes/bad/no-features', JSON.stringify({ type: 'FeatureCollection' }), 'contract', '$.features'),
  bad(
    'earthquakes/bad/magnitude-as-text',
    JSON.stringify({ features: [feature(2.1), feature(null), feature(0), feature('3.5')] }),
    'contract',
    '$.features[3].properties.mag',
  ),

  bad(
    'stock-movements/bad/one-line-cut-off',
    withFourthLine(movement(4).slice(0, movement(4).indexOf('M-1'))),
    'unparsable',
    '$[3].warehouse',
  ),
  bad('stock-movements/bad/array-instead-of-lines', `[${movement(1)},${movement(2)}]`, 'contract', '$[0]'),
  bad(
    'stock-movements/bad/delta-as-text',
    withFourthLine(movement(4).replace(':4,', ':"4",')),
    'contract',
    '$[3].delta',
  ),
  bad(
    'stock-movements/bad/nul-on-one-line',
    withFourthLine(movement(4).replace('KIT', '\\u0000')),
    'database-refused',
    '$[3].sku',
  ),

  bad('stock-movements/bad/too-many-lines', '{}\n'.repeat(RECORDS_MAX + 1), 'too-many-records'),

  // Valid JSON that PostgreSQL's jsonb cannot hold.
  bad('orders/bad/nul-in-value', withText('Zoë', 'Zo\\u0000'), 'database-refused', '$.customer.name'),
  bad('orders/bad/nul-in-name', withText('"name"', '"na\\u0000me"'), 'database-refused', '$.customer["na\\u0000me"]'),
  bad('orders/bad/lone-surrogate', withText('Zoë', 'Zo\\ud83d'), 'database-refused', '$.customer.name'),
  bad('orders/bad/huge-number', withText('67.5', '1e131072'), 'database-refused', '$.total'),

  bad('invoices/nobody-claims-this', json, 'unknown-source'),
]

/** An array in an array in an array, so many deep. */
function nested(depth: number): unknown {
  return depth === 0 ? 0 : [nested(depth - 1)]
}
