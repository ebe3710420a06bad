/** Feeds of the United States Geological Survey, a GeoJSON feature an earthquake. A quiet hour's feed has none. */
import { z } from 'zod'
import { jsonNumber, type Source } from './source.ts'

/** https://earthquake.usgs.gov/earthquakes/feed/v1.0/geojson.php */
export const earthquakes: Source = {
  name: 'earthquakes',
  prefix: 'input/earthquakes/',
  owner: 'hazard-data@example.com',
  // Feeds are hourly; two may fail.
  expectedEveryHours: 3,
  records: { kind: 'array', path: ['features'] },
  contractVersion: 1,
  contract: z.looseObject({
    id: z.string().min(1),
    type: z.literal('Feature'),
    properties: z.looseObject({
      // Null until a magnitude is computed.
      mag: jsonNumber.nullable(),
      place: z.string().nullable(),
      /** Milliseconds since 1970. */
      time: jsonNumber,
      updated: jsonNumber,
      status: z.string(),
      type: z.string(),
    }),
    geometry: z.looseObject({
      type: z.literal('Point'),
      // Longitude, latitude, depth in kilometres.
      coordinates: z.tuple([jsonNumber, jsonNumber, jsonNumber.nullable()]),
    }),
  }),
}
