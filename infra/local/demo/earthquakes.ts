/** Real input: a week of the USGS earthquake feed (public domain), as `vega-datasets` keeps it, cut into hourly feeds. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { NewObject } from './put-objects.ts'

interface Feed {
  readonly metadata: object
  readonly features: readonly { readonly properties: { readonly time: number } }[]
}

const HOUR_MS = 3_600_000

/** A feed an hour: `input/earthquakes/<hour>.json`. An hour without an earthquake has a feed without features. */
export function earthquakeFeeds(): NewObject[] {
  // The package exports only code; its data lies beside it.
  const file = new URL('../data/earthquakes.json', import.meta.resolve('vega-datasets'))
  const week = JSON.parse(readFileSync(fileURLToPath(file), 'utf8')) as Feed
  const byHour = Map.groupBy(week.features, ({ properties }) => Math.floor(properties.time / HOUR_MS))
  const hours = [...byHour.keys()]
  const first = Math.min(...hours)
  return Array.from({ length: Math.max(...hours) - first + 1 }, (_, position) => {
    const features = byHour.get(first + position) ?? []
    const hour = new Date((first + position) * HOUR_MS).toISOString().slice(0, 13)
    const feed = { ...week, metadata: { ...week.metadata, count: features.length }, features }
    return { key: `input/earthquakes/${hour}.json`, body: Buffer.from(JSON.stringify(feed)) }
  })
}
