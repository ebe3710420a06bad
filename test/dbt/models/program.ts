/** Random programs of puts, and what the orders must be after them. */
import fc from 'fast-check'
import { deliveryText, feature, feedText, linesText, movement, orderText, pullRequest } from './bodies.ts'
import { nextSequencer, type Put } from './load-files.ts'

const SOURCES = ['orders', 'earthquakes', 'stock-movements', 'github'] as const

/** A put, with few keys and few ids, so that programs overwrite and move things often. */
export interface Step {
  readonly source: (typeof SOURCES)[number]
  readonly slot: number
  readonly ids: readonly number[]
  /** Of the put, in half hours: over 80 days, so that a round leaves many of them alone. */
  readonly time: number
  readonly kind: 'plain' | 'bad' | 'older than all' | 'listed' | 'again'
}

const step: fc.Arbitrary<Step> = fc.record({
  source: fc.constantFrom(...SOURCES),
  slot: fc.integer({ min: 0, max: 3 }),
  ids: fc.uniqueArray(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
  time: fc.integer({ min: 0, max: 80 * 48 }),
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constant('plain' as const) },
    {
      weight: 5,
      arbitrary: fc.constantFrom('bad' as const, 'older than all' as const, 'listed' as const, 'again' as const),
    },
  ),
})

/** Rounds of puts; after each of them dbt runs. */
export const program = fc.array(fc.array(step, { minLength: 4, maxLength: 14 }), { minLength: 4, maxLength: 4 })

interface Version extends Put {
  readonly sequencer: string
  readonly versionId: string
  readonly orderId: string | undefined
}

/** What a program has put so far. Keys and ids are its own, so that several can share a database. */
export class Puts {
  readonly #name: string
  readonly #versions: Version[] = []

  constructor(name: string) {
    this.#name = name
  }

  /** The put that a step makes. */
  take(step: Step): Put {
    const last = this.#versions.at(-1)
    if (step.kind === 'again' && last !== undefined) return last
    const id = (n: number) => `${this.#name}-${n}`
    const [first = 0] = step.ids
    const at = new Date(Date.UTC(2026, 8, 1) + step.time * 1_800_000).toISOString()
    const number = this.#versions.length
    const isBad = step.kind === 'bad'
    const contents = {
      orders: {
        folder: '',
        body: orderText({
          order_id: id(first),
          total: number,
          lines: [...step.ids, 0].map((quantity) => ({ sku: 'S', quantity, unit_price: 1 })),
        }),
      },
      earthquakes: {
        folder: '',
        body: feedText(step.ids.map((n) => feature(id(n), { updated: step.time, mag: number }))),
      },
      'stock-movements': {
        folder: '',
        body: linesText([...step.ids, 9].map((n) => movement(id(n), { delta: number }))),
      },
      github: {
        folder: first % 2 === 0 ? 'pull_request/' : 'push/',
        body: deliveryText({
          sender: { login: 's', id: first },
          repository: { id: 1, full_name: this.#name, owner: { login: 'o', id: 1 } },
          pull_request: pullRequest(first, { title: `${number}`, updated_at: at, merged_at: first === 2 ? at : null }),
        }),
      },
    }
    const { folder, body } = contents[step.source]
    const version: Version = {
      key: `input/${step.source}/${folder}${this.#name}-${step.slot}.json`,
      body: isBad ? '[' : body,
      at,
      isListed: step.kind === 'listed',
      sequencer: step.kind === 'older than all' ? `0${nextSequencer()}` : `1${nextSequencer()}`,
      versionId: `${this.#name}-${number}`,
      orderId: step.source === 'orders' && !isBad ? id(first) : undefined,
    }
    this.#versions.push(version)
    return version
  }

  /** Version by order: of the current files of all keys that hold it the one that was put last. */
  orders(): Map<string, string> {
    const loaded = this.#versions.filter(({ orderId }) => orderId !== undefined)
    const current = loaded.filter(
      (version) => !loaded.some((other) => other.key === version.key && isNewer(other, version)),
    )
    const latest = new Map(current.sort(byTime).map((version) => [version.orderId ?? '', version]))
    return new Map([...latest].map(([order, { versionId }]) => [order, versionId]))
  }
}

/** By sequencer; where one of the two has none, by S3's LastModified. */
const isNewer = (one: Version, other: Version): boolean =>
  one.isListed || other.isListed ? one.at > other.at : one.sequencer > other.sequencer

function byTime(one: Version, other: Version): number {
  const rank = ({ at, key, versionId }: Version) => `${at} ${key} ${versionId}`
  return rank(one) < rank(other) ? -1 : 1
}
