/** All sources. A new one is added here. */
import { github } from './github.ts'
import { orders } from './orders.ts'
import type { Source } from './source.ts'

export const sources: readonly Source[] = [github, orders]

/** The source that claims a key, if one does. Prefixes do not overlap (a test holds them to it). */
export function findSource(key: string): Source | undefined {
  return sources.find((source) => key.startsWith(source.prefix))
}
