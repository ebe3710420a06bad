import { expect, test } from 'vitest'
import { earthquakes } from '../../../handlers/sources/earthquakes.ts'
import { issuesOf } from '../../support/issues.ts'

const feed = (...features: unknown[]) => JSON.stringify({ type: 'FeatureCollection', features })

const feature = (properties: object = {}, coordinates: unknown[] = [13.4, 52.5, 10]) => ({
  type: 'Feature',
  id: 'us1000',
  properties: { mag: 2.1, place: null, time: 1, updated: 2, status: 'automatic', type: 'earthquake', ...properties },
  geometry: { type: 'Point', coordinates },
})

test('a feed loads, without earthquakes too', () => {
  expect(issuesOf(earthquakes, feed(feature(), feature({ mag: null }, [0, 0, null])))).toEqual([])
  expect(issuesOf(earthquakes, feed())).toEqual([])
})

test('a feature that is wrong is named by its place in the feed', () => {
  expect(issuesOf(earthquakes, feed(feature(), feature(), feature({ mag: '3.5' }, [0, 0])))).toEqual([
    '$.features[2].properties.mag: expected number, found string "3.5"',
    '$.features[2].geometry.coordinates: expected array to have >=3 items, found array of 2',
  ])
})
