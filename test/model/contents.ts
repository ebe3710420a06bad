/** What programs put into the bucket: files whose fate is known beforehand, by the keys under which they are put. */
import type { ReasonKind } from '../../handlers/reasons.ts'
import { badFiles } from '../../infra/local/demo/bad-files.ts'
import { orderText } from '../support/orders.ts'

/** What becomes of a file that is read: a document with exactly this text, or poison for this reason at this JSON path. */
export type Verdict =
  | { readonly status: 'loaded'; readonly text: string }
  | { readonly status: 'poison'; readonly kind: ReasonKind; readonly path: string }

export interface Content {
  readonly name: string
  readonly body: Uint8Array
  /** What the event says, where it is not the body's own size: nobody wants 32 MiB in a test. */
  readonly sizeBytes?: number
  readonly verdict: Verdict
}

const good = (name: string, text: string, body = text): Content => ({
  name,
  body: Buffer.from(body),
  verdict: { status: 'loaded', text },
})

const order = orderText()
const orderWithTotal = (total: string): string => order.replace('19.9', total)
const nested = (depth: number): unknown => (depth === 0 ? 0 : [nested(depth - 1)])

const goodOrders = [
  good('an order', order),
  good('a total of 23 digits', orderWithTotal('12345678901234567890.123')),
  good('a total of 1e400', orderWithTotal('1e400')),
  good('a total of 19.90000', orderWithTotal('19.90000')),
  good('a byte order mark', order, `\u{feff}${order}`),
  good('white space around', `\r\n\t${order}\n`),
  good('a name twice', `{"total":1,${order.slice(1)}`),
  good('a surrogate pair in escapes', order.replace('"S-1"', '"\\ud83d\\ude00"')),
  good('a depth of 100', orderText({ gift: nested(99) })),
]

const goodDeliveries = [
  good('a ping', '{"zen":"Approachable is better than simple."}'),
  good('an id of 23 digits', '{"sender":{"login":"octocat","id":12345678901234567890123}}'),
]

const tooLarge: Content = {
  name: 'a byte more than 32 MiB',
  body: Buffer.from('too long to be written here'),
  sizeBytes: 32 * 1024 * 1024 + 1,
  verdict: { status: 'poison', kind: 'too-large', path: '$' },
}

const badUnder = (prefix: string): Content[] =>
  badFiles
    .filter(({ key }) => key.startsWith(prefix))
    .map(({ key, body, kind, path }) => ({
      name: key.slice(key.lastIndexOf('/') + 1, -'.json'.length),
      body: Buffer.from(body),
      verdict: { status: 'poison', kind, path },
    }))

/** Three good files, then a bad one, again and again, until each bad one has been: any stretch of it is a likely mix. */
function mix(goods: readonly Content[], bads: readonly Content[]): Content[] {
  const nextGood = (n: number): Content[] => goods.slice(n % goods.length).slice(0, 1)
  return bads.flatMap((bad, n) => [...[0, 1, 2].flatMap((more) => nextGood(3 * n + more)), bad])
}

const orders = mix(goodOrders, [...badUnder('input/orders/'), tooLarge])
const deliveries = mix(goodDeliveries, badUnder('input/github/'))

/** Few keys, so that programs overwrite often, and what may lie under each. */
export const keys: readonly { readonly key: string; readonly contents: readonly Content[] }[] = [
  { key: 'input/orders/a.json', contents: orders },
  // Everything that an event encodes.
  { key: 'input/orders/zwei Aufträge + 100 % mehr.json', contents: orders },
  { key: 'input/orders/c.json', contents: orders },
  { key: 'input/github/push/d.json', contents: deliveries },
  { key: 'input/orders/e.json', contents: orders },
  { key: 'input/invoices/f.json', contents: badUnder('input/invoices/') },
]
