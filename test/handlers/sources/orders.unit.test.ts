import { expect, test } from 'vitest'
import { orders } from '../../../handlers/sources/orders.ts'
import { issuesOf } from '../../support/issues.ts'
import { orderText } from '../../support/orders.ts'

test('an order loads, fields that nobody asked for included', () => {
  expect(issuesOf(orders, orderText({ channel: 'web' }))).toEqual([])
})

test('a line without a price is named', () => {
  const lines = [
    { sku: 'S-1', quantity: 1, unit_price: 1 },
    { sku: 'S-2', quantity: 1 },
  ]
  expect(issuesOf(orders, orderText({ lines }))).toEqual(['$.lines[1].unit_price: expected number, found nothing'])
})

test('a time without an offset is refused', () => {
  expect(issuesOf(orders, orderText({ ordered_at: '2026-11-24T10:00:00' }))).toHaveLength(1)
})
