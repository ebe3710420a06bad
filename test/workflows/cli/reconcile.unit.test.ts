import { expect, test } from 'vitest'
import { renderCount } from '../../../workflows/cli/commands/backfill.ts'
import { renderReconciliation } from '../../../workflows/cli/commands/reconcile.ts'

const compared = { listed: 1_234, ignored: 0, ignoredExamples: [], missing: 0, missingExamples: [] }
const outcome = { ...compared, reconciliationId: 1, prefix: 'input/', isDone: true, isFull: false }

test('a reconciliation that finds nothing is one line', () => {
  expect(renderReconciliation(outcome)).toBe('1,234 versions under input/: none is missing in the ledger.')
})

test('a reconciliation names some of what was missing and of what is ignored, as a terminal may show it', () => {
  const missing = { missing: 2, missingExamples: ['input/orders/1.json', 'input/orders/2.json'] }
  const ignored = { ignored: 7, ignoredExamples: ['input/orders/a\u0007.txt'] }
  expect(renderReconciliation({ ...outcome, ...missing, ...ignored })).toBe(`\
1,234 versions under input/: 2 were missing in the ledger.
They are being loaded:
  input/orders/1.json
  input/orders/2.json
7 versions ignored: only names that end in .json are loaded
  input/orders/a\\u{7}.txt
  ...`)
})

test('a dry run of a backfill says how many would be loaded, how long that takes, and how many are known', () => {
  const counted = { ...compared, missing: 1_000, missingExamples: ['input/orders/2025/1.json'] }
  expect(renderCount('input/orders/2025/', counted)).toBe(`\
1,234 versions under input/orders/2025/:
1,000 would be loaded, in 1 minute at least, such as input/orders/2025/1.json
234 are known`)
})

test('a dry run of a prefix that no key has says so', () => {
  expect(renderCount('input/ordes/', { ...compared, listed: 0 })).toBe('No key starts with input/ordes/.')
})
