/** Small orders that keep the contract. */
export const orderText = (fields: Record<string, unknown> = {}): string =>
  JSON.stringify({
    order_id: 'A-1',
    ordered_at: '2026-11-24T10:00:00Z',
    currency: 'EUR',
    total: 19.9,
    customer: { id: 'C-1', country: 'DE' },
    lines: [{ sku: 'S-1', quantity: 2, unit_price: 9.95 }],
    ...fields,
  })
