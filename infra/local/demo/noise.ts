/** What else lies about in a bucket. None of it may reach the queue: the bucket's own filter keeps it out. */
import { gzipSync } from 'node:zlib'
import type { NewObject } from './put-objects.ts'

/** The rule of what is loaded, told independently of the stack, so that the demo can check the stack by it. */
export const isInput = (key: string): boolean => key.startsWith('input/') && key.endsWith('.json')

const OBJECTS_PER_KIND = 50

const document = Buffer.from(JSON.stringify({ note: 'Nobody asked for this file.' }))

/** The smallest picture there is: one transparent pixel. */
const picture = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
)

const kinds: readonly ((number: number) => NewObject)[] = [
  (number) => ({ key: `input/orders/export-${number}.csv`, body: Buffer.from('order_id,total\nSO-1,9.99\n') }),
  (number) => ({ key: `input/orders/scans/${number}.png`, body: picture }),
  // Suffixes are compared case by case.
  (number) => ({ key: `input/orders/${number}.JSON`, body: document }),
  (number) => ({ key: `input/github/push/${number}.json.gz`, body: gzipSync(document) }),
  // An upload that was given another name when it was complete.
  (number) => ({ key: `input/orders/${number}.json.tmp`, body: document }),
  // What S3's console puts for a new folder.
  (number) => ({ key: `input/orders/folder-${number}/`, body: Buffer.alloc(0) }),
  (number) => ({ key: `archive/orders/${number}.json`, body: document }),
  // Prefixes end where they end.
  (number) => ({ key: `input-old/orders/${number}.json`, body: document }),
]

/** 400 objects of eight kinds. */
export function noiseObjects(): NewObject[] {
  return kinds.flatMap((make) => Array.from({ length: OBJECTS_PER_KIND }, (_, position) => make(position + 1)))
}
