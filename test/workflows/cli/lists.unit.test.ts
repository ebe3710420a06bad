import { expect, test } from 'vitest'
import { renderBatches } from '../../../workflows/cli/commands/batches.ts'
import { renderLoad } from '../../../workflows/cli/commands/load.ts'
import { renderRefusals } from '../../../workflows/cli/commands/quarantine.ts'

const at = new Date('2026-11-24T17:00:00Z')

test('batches say what they held and whether their execution is started', () => {
  const batch = {
    ...{ id: 1, requestId: 'r', receivedAt: at, messages: 100, files: 100, bytes: 1, loaded: 98, poison: 2 },
    ...{ vanished: 0, repeated: 0, milliseconds: 1_234, executionName: 'batch-1', startedAt: at },
  }
  expect(
    renderBatches([
      { ...batch, id: 12, startedAt: null },
      { ...batch, executionName: null },
    ]),
  ).toBe(`\
batch  received (UTC)       messages  files  loaded  poison   took  execution
   12  2026-11-24 17:00:00       100    100      98       2  1.2 s  batch-1 (to be started)
    1  2026-11-24 17:00:00       100    100      98       2  1.2 s  none needed`)
  expect(renderBatches([])).toContain('No batches yet')
})

test('refused files say the first fault of each, how many there are of each reason, and nothing that moves the cursor', () => {
  const file = {
    ...{ fileId: 1, key: 'input/orders/\u{1b}[2J.json', versionId: 'v', source: 'orders', status: 'poison' },
    ...{ kind: 'contract', otherIssues: 2, quarantineKey: null, quarantineNote: null, changedAt: at },
    firstIssue: { path: '$.total', rule: 'invalid_type', expected: 'number', found: 'nothing' },
  }
  const plain = { ...file, key: 'x.json', source: null, status: 'quarantined', firstIssue: null, kind: 'empty' }
  expect(renderRefusals({ files: [file, plain], byKind: [{ kind: 'contract', count: 1_200 }] })).toBe(`\
since (UTC)          source  reason    key
2026-11-24 17:00:00  orders  contract  input/orders/\\u{1b}[2J.json (copy pending)
    $.total: expected number, found nothing (invalid_type) and 2 more
2026-11-24 17:00:00  (none)  empty     x.json

2 of 1,200 refused files: contract 1,200
More on one: sluice explain <key>`)
  expect(renderRefusals({ files: [], byKind: [] })).toBe('No refused files.')
})

test('a load says how far it came, what failed, and how to follow it', () => {
  const facts = { bucket: 'landing', prefix: 'input/orders/', found: 30, passedOver: 1, put: 18, isInterrupted: true }
  const failures = Array.from({ length: 12 }, (_, number) => ({ path: `${number}.json`, why: 'EACCES' }))
  const text = renderLoad({ ...facts, failures }, 'prod')
  expect(text).toContain('Interrupted: 18 of 30 files put to s3://landing/input/orders/\n1 file passed over')
  expect(text).toContain('12 files or folders failed:\n  0.json: EACCES')
  expect(text).toContain('  and 2 more\nFollow them: sluice status --stage prod')
  expect(renderLoad({ ...facts, found: 0, put: 0, failures: [], isInterrupted: false }, 'local')).toContain(
    'nothing was put',
  )
})
