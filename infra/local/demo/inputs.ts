/** Everything the demo puts, in which order, and what must become of each version. */
import type { ReasonKind } from '../../../handlers/reasons.ts'
import { seededRandom } from '../../../workflows/capacity/random.ts'
import { badFiles } from './bad-files.ts'
import { githubDeliveries } from './deliveries.ts'
import { earthquakeFeeds } from './earthquakes.ts'
import { noiseObjects } from './noise.ts'
import { generateOrders } from './orders.ts'
import type { NewObject } from './put-objects.ts'
import { shuffle } from './random.ts'
import { generateStockMovements } from './stock-movements.ts'

export type Fate =
  | { readonly state: 'loaded' | 'superseded' | 'filtered' }
  | { readonly state: 'quarantined'; readonly kind: ReasonKind; readonly path: string }
  /** Deleted right after its put: loaded when Sluice was quicker. */
  | { readonly state: 'loaded or vanished' }

export interface DemoObject extends NewObject {
  readonly fate: Fate
}

export interface DemoInputs {
  /** How many objects there are of each sort, in words. */
  readonly sorts: ReadonlyMap<string, number>
  /** Put one after the other, each in no particular order: a newer version must come after the older one. */
  readonly waves: readonly (readonly DemoObject[])[]
}

const ORDERS = 1_000
const STOCK_DAYS = 20
const SEED = 20

/** Orders that are put again, corrected, and orders over which a bad newer version is put. */
const CORRECTED = 20
const SPOILT = 3
/** Orders that are deleted right after their put. */
const SHORT_LIVED = 6

export function makeInputs(): DemoInputs {
  const deliveries = githubDeliveries()
  const feeds = earthquakeFeeds()
  const movements = generateStockMovements(STOCK_DAYS)
  const noise = noiseObjects()
  // More than are counted as orders: the last ones live only for a moment.
  const made = generateOrders(ORDERS + SHORT_LIVED)
  const orders = made.slice(0, ORDERS)
  const shortLived = made.slice(ORDERS)
  const corrected = orders.slice(0, CORRECTED)
  const spoilt = orders.slice(CORRECTED, CORRECTED + SPOILT)
  const untouched = orders.slice(CORRECTED + SPOILT)

  const first: DemoObject[] = [
    ...withFate({ state: 'loaded' }, [...deliveries, ...feeds, ...movements, ...untouched, ...spoilt]),
    ...withFate({ state: 'superseded' }, corrected),
    ...withFate({ state: 'loaded or vanished' }, shortLived),
    ...withFate({ state: 'filtered' }, noise),
    ...badFiles.map((bad) => ({ ...bad, fate: { state: 'quarantined', kind: bad.kind, path: bad.path } as const })),
  ]
  const newer: DemoObject[] = [
    ...withFate({ state: 'loaded' }, corrected.map(correct)),
    // The good older version stays the current one.
    ...withFate({ state: 'quarantined', kind: 'unparsable', path: '$.customer' }, spoilt.map(spoil)),
  ]
  return {
    sorts: new Map([
      ['deliveries of GitHub', deliveries.length],
      ['earthquake feeds', feeds.length],
      ['files of stock movements', movements.length],
      ['orders', orders.length],
      ['newer versions of orders', newer.length],
      ['orders deleted at once', shortLived.length],
      ['bad files', badFiles.length],
      ['objects that are noise', noise.length],
    ]),
    waves: [shuffle(seededRandom(SEED), first), newer],
  }
}

const withFate = (fate: Fate, objects: readonly NewObject[]): DemoObject[] =>
  objects.map((object) => ({ ...object, fate }))

function correct({ key, body }: NewObject): NewObject {
  return { key, body: Buffer.from(JSON.stringify({ ...JSON.parse(String(body)), corrected: true })) }
}

/** As an upload that was given up leaves it. */
function spoil({ key, body }: NewObject): NewObject {
  const text = String(body)
  return { key, body: Buffer.from(text.slice(0, text.indexOf('"customer":') + '"customer":'.length)) }
}
