import { expect, test } from 'vitest'
import { stockMovements } from '../../../handlers/sources/stock-movements.ts'
import { issuesOf } from '../../support/issues.ts'

const line = (fields: object = {}) =>
  JSON.stringify({
    movement_id: 'M-1',
    sku: 'S-1',
    warehouse: 'HAM-1',
    delta: -2,
    reason: 'sale',
    moved_at: '2026-11-24T10:00:00Z',
    ...fields,
  })

test('a movement a line loads', () => {
  expect(issuesOf(stockMovements, `${line()}\n${line({ delta: 0 })}\n`)).toEqual([])
})

test('a movement that is wrong is named by its position and its line', () => {
  expect(issuesOf(stockMovements, `${line()}\n\n${line({ sku: '', reason: 'theft' })}`)).toEqual([
    '$[1].sku: expected string to have >=1 characters, found string "" (line 3)',
    expect.stringMatching(/^\$\[1\]\.reason: expected one of "receipt"\|.*, found string "theft" \(line 3\)$/),
  ])
})
