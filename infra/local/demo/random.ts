/** Choices that repeat: the same seed gives the same demo on every machine. */
import type { Random } from '../../../workflows/capacity/random.ts'

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
