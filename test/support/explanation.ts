/** Answers as the command line gets them; give what the test is about. */
import type { VersionOfKey } from '../../handlers/read-ledger/contract.ts'
import type { Explanation } from '../../workflows/cli/commands/explain.ts'

export function versionOfKey(fields: Partial<VersionOfKey> = {}): VersionOfKey {
  return {
    ...{ fileId: 12, versionId: 'v1', state: 'loaded', source: 'orders', sequencer: '0A', sizeBytes: 2_048 },
    ...{ eventAt: new Date('2026-11-24T17:00:00Z'), records: 1, contractVersion: 1, reason: null },
    ...{
      loadedOn: '2026-11-24',
      documentDroppedAt: null,
      erasedAt: null,
      attemptsBegun: 0,
      attemptsEnded: 0,
      quarantineKey: null,
      quarantineNote: null,
    },
    ...{ claimedBy: null, firstSeenAt: new Date(0), changedAt: new Date(0), replay: null },
    batch: {
      ...{ id: 3, requestId: 'request', receivedAt: new Date('2026-11-24T17:00:05Z') },
      ...{ committedAt: new Date('2026-11-24T17:00:05.400Z'), executionName: 'batch-3', startedAt: new Date(0) },
    },
    ...fields,
  }
}

export function explanation(fields: Partial<Explanation> = {}): Explanation {
  return {
    ...{ stage: 'prod', bucket: 'landing', landingBucket: 'landing', key: 'input/orders/1.json' },
    ...{ owner: 'orders@example.com', versions: [], versionsOmitted: 0, erasures: [] },
    inBucket: { is: 'there', versionId: 'v1', putAt: new Date('2026-11-24T17:00:00Z') },
    queues: { waiting: 0, inFlight: 0, deadLetters: 0 },
    executions: { 'batch-3': { arn: 'arn:aws:states:::execution:batch-3', status: 'SUCCEEDED' } },
    ...fields,
  }
}
