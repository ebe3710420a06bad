/** Orders of a shop, one a file: a customer, an address and the lines. */
import { z } from 'zod'
import { jsonNumber, type Source } from './source.ts'

const line = z.looseObject({
  sku: z.string().min(1),
  quantity: jsonNumber,
  unit_price: jsonNumber,
})

export const orders: Source = {
  name: 'orders',
  prefix: 'input/orders/',
  owner: 'commerce-data@example.com',
  expectedEveryHours: 2,
  records: { kind: 'document' },
  contractVersion: 1,
  contract: z.looseObject({
    order_id: z.string().min(1),
    ordered_at: z.iso.datetime({ offset: true }),
    currency: z.string().length(3),
    total: jsonNumber,
    customer: z.looseObject({ id: z.string().min(1), country: z.string().length(2) }),
    lines: z.array(line).min(1),
  }),
}
