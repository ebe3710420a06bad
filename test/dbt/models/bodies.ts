/** Small files of each source that keep their contracts. */
import { orderText } from '../../support/orders.ts'

export { orderText }

export const feature = (id: string, properties: Record<string, unknown> = {}) => ({
  id,
  type: 'Feature',
  properties: {
    mag: 1.5,
    place: 'somewhere',
    time: 1_517_364_904_235,
    updated: 1,
    status: 'automatic',
    type: 'earthquake',
    ...properties,
  },
  geometry: { type: 'Point', coordinates: [1, 2, 3] },
})

export const feedText = (features: readonly unknown[]): string =>
  JSON.stringify({ type: 'FeatureCollection', features })

export const movement = (id: string, fields: Record<string, unknown> = {}) => ({
  movement_id: id,
  sku: 'S-1',
  warehouse: 'W-1',
  delta: -1,
  reason: 'sale',
  moved_at: '2026-11-24T10:00:00Z',
  ...fields,
})

export const linesText = (lines: readonly unknown[]): string =>
  lines.map((line) => `${JSON.stringify(line)}\n`).join('')

const account = (login: string) => ({ login, id: login.length })

export const deliveryText = (fields: Record<string, unknown> = {}): string =>
  JSON.stringify({
    action: 'opened',
    sender: account('octocat'),
    repository: { id: 1, full_name: 'octo/repo', owner: account('octo') },
    ...fields,
  })

export const pullRequest = (number: number, fields: Record<string, unknown> = {}) => ({
  id: 1,
  number,
  state: 'open',
  title: 'A change',
  user: account('mona'),
  updated_at: '2026-11-24T10:00:00Z',
  ...fields,
})
