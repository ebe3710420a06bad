/** A record a line: what came into three warehouses and left them, a file a warehouse and day. The same on every machine. */

import { type Random, seededRandom } from '../../../workflows/capacity/random.ts'
import type { NewObject } from './put-objects.ts'
import { integerBetween, pick } from './random.ts'

const WAREHOUSES = ['HAM-1', 'WRO-2', 'KIX-1']

const FIRST_DAY_AT = Date.UTC(2026, 0, 5)
const DAY_MS = 86_400_000

const MOVEMENTS_PER_DAY = { least: 80, most: 240 }

/** Some producers end each line, some only separate them, some run on Windows, some leave a blank line behind. */
const LINE_ENDINGS: readonly [LineEnding, ...LineEnding[]] = [
  { between: '\n', last: '\n' },
  { between: '\n', last: '' },
  { between: '\r\n', last: '\r\n' },
  { between: '\n', last: '\n\n' },
]

interface LineEnding {
  readonly between: string
  readonly last: string
}

/** Makes a file for each of three warehouses and `days`: `input/stock-movements/<warehouse>/<day>.json`. */
export function generateStockMovements(days: number, seed = 3): NewObject[] {
  const random = seededRandom(seed)
  return WAREHOUSES.flatMap((warehouse) =>
    Array.from({ length: days }, (_, day) => {
      const startAt = FIRST_DAY_AT + day * DAY_MS
      const count = integerBetween(random, MOVEMENTS_PER_DAY.least, MOVEMENTS_PER_DAY.most)
      const lines = Array.from({ length: count }, (_, position) => {
        const movedAt = startAt + Math.floor((position / count) * DAY_MS)
        return JSON.stringify(makeMovement(random, warehouse, movedAt, position))
      })
      const { between, last } = pick(random, LINE_ENDINGS)
      const date = new Date(startAt).toISOString().slice(0, 10)
      return {
        key: `input/stock-movements/${warehouse}/${date}.json`,
        body: Buffer.from(lines.join(between) + last),
      }
    }),
  )
}

function makeMovement(random: Random, warehouse: string, movedAt: number, position: number) {
  const reason = pick(random, ['receipt', 'sale', 'sale', 'sale', 'return', 'transfer', 'count'])
  const pieces = integerBetween(random, 1, 40)
  const goesOut = reason === 'sale' || (reason !== 'receipt' && reason !== 'return' && random() < 0.5)
  return {
    movement_id: `${warehouse}-${movedAt}-${position}`,
    sku: `${pick(random, ['KIT', 'CLO', 'PAR', 'STA'])}-${integerBetween(random, 10_000, 99_999)}`,
    warehouse,
    delta: goesOut ? -pieces : pieces,
    reason,
    moved_at: new Date(movedAt).toISOString(),
    bin: `${pick(random, ['A', 'B', 'Ä'])}${integerBetween(random, 1, 60)}`,
  }
}
