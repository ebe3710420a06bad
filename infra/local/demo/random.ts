/** Chance that repeats: the same seed gives the same demo on every machine. */

/** Gives a number in [0, 1) at each call. */
export type Random = () => number

/**
 * The generator Mulberry32: 32 bits of state are plenty for a demo.
 * https://gist.github.com/tommyettinger/46a874533244883189143505d203312c
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A whole number from `least` to `most`, both included. */
export function integerBetween(random: Random, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1))
}

export function pick<Item>(random: Random, items: readonly [Item, ...Item[]]): Item {
  return items[Math.floor(random() * items.length)] ?? items[0]
}

/** The same items in another order. */
export function shuffle<Item>(random: Random, items: readonly Item[]): Item[] {
  const keyed = items.map((item) => ({ item, rank: random() }))
  return keyed.sort((a, b) => a.rank - b.rank).map(({ item }) => item)
}
