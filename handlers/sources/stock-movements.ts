/** What came into the warehouses and left them, a movement a line (NDJSON, in files named `.json` as the bucket wants). */
import { z } from 'zod'
import { jsonNumber, type Source } from './source.ts'

export const stockMovements: Source = {
  name: 'stock-movements',
  prefix: 'input/stock-movements/',
  owner: 'warehouse-systems@example.com',
  expectedEveryHours: 24,
  records: { kind: 'lines' },
  contractVersion: 1,
  contract: z.looseObject({
    movement_id: z.string().min(1),
    sku: z.string().min(1),
    warehouse: z.string().min(1),
    /** Pieces: above zero came in, below went out. */
    delta: jsonNumber,
    reason: z.enum(['receipt', 'sale', 'return', 'transfer', 'count']),
    moved_at: z.iso.datetime({ offset: true }),
  }),
}
