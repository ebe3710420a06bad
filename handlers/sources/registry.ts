/** All sources. A new one is added here. */
import { earthquakes } from './earthquakes.ts'
import { github } from './github.ts'
import { orders } from './orders.ts'
import type { Source } from './source.ts'
import { stockMovements } from './stock-movements.ts'

export const sources: readonly Source[] = [earthquakes, github, orders, stockMovements]

/** The source that claims a key, if one does. Prefixes do not overlap (a test holds them to it). */
export function findSource(key: string): Source | undefined {
  return sources.find((source) => key.startsWith(source.prefix))
}
