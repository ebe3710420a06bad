import { describe, expect, test } from 'vitest'
import { renderExplanation } from '../../../workflows/cli/render-explanation.ts'
import { explanation, versionOfKey } from '../../support/explanation.ts'

const render = (fields: Parameters<typeof explanation>[0]) => renderExplanation(explanation(fields))

describe('a version', () => {
  test('that is loaded says when it came, where its document is, and that nothing is to be done', () => {
    expect(render({ versions: [versionOfKey()] })).toBe(`\
s3://landing/input/orders/1.json
1 version in the ledger, times in UTC.

LOADED  version v1
  put        2026-11-24 17:00:00, 2.0 KiB, sequencer 0A
  source     orders
  document   raw.documents, file_id 12, loaded_on 2026-11-24, 1 record, contract version 1
  batch      3, received 2026-11-24 17:00:05, committed 0.4 s later
             Lambda request request
  execution  batch-3 SUCCEEDED
  next       Nothing: it is what readers see.`)
  })

  test('that is quarantined says where it is wrong, where its copy is, and whom to ask', () => {
    const issue = { path: '$.total', rule: 'invalid_type', expected: 'number', found: 'string "\u{1b}[2J"' }
    const reason = { kind: 'contract', contractVersion: 2, issues: Array(7).fill(issue), issuesOmitted: 3 }
    const quarantineKey = 'quarantine/orders/12.json'
    const text = render({ versions: [versionOfKey({ state: 'quarantined', reason, quarantineKey })] })

    expect(text).toContain("refused    contract: A record breaks the source's contract. Contract version 2.")
    expect(text).toContain('$.total: expected number, found string "\\u{1b}[2J" (invalid_type)')
    expect(text).toContain('and 5 more')
    expect(text).toContain('copy       quarantine/orders/12.json')
    expect(text).toContain('orders@example.com')
    expect(text).not.toContain('\u{1b}')
  })

  test('whose document was dropped by age says when, and that the marts have it', () => {
    const text = render({ versions: [versionOfKey({ documentDroppedAt: new Date('2027-02-23T00:15:00Z') })] })

    expect(text).toContain(
      'document   its document was dropped by age on 2027-02-23 00:15:00; loaded_on 2026-11-24, 1 record',
    )
    expect(text).toContain('the marts have it')
  })

  test('that was erased says when, by whom and why, and what to do when that was cut short', () => {
    const erasedAt = new Date('2026-11-25T10:00:01Z')
    const erasure = {
      ...{ requestedBy: 'arn:aws:iam::1:user/ann', why: 'request\u{7}', begunAt: new Date('2026-11-25T10:00:00Z') },
      completedAt: erasedAt,
    }
    const repeated = { ...erasure, why: 'again', begunAt: new Date('2026-11-26T10:00:00Z') }
    const versions = [versionOfKey({ state: 'erased', erasedAt })]

    const text = render({ versions, erasures: [repeated, erasure], inBucket: { is: 'absent' } })
    expect(text).toContain('ERASED  version v1')
    expect(text).toContain('erased     2026-11-25 10:00:01, by arn:aws:iam::1:user/ann: request\\u{7}')
    expect(text).toContain('Nothing: no replay and no repeated event')
    expect(text).not.toContain('deleted since')
    const cutShort = render({ versions, erasures: [{ ...erasure, completedAt: null }] }).replaceAll(/\s+/g, ' ')
    expect(cutShort).toContain('not completed')
    expect(cutShort).toContain('run `sluice erase input/orders/1.json --why <text> --stage prod` again')
  })

  test.each([
    ['poison', 'SUCCEEDED', 'Wait: the copy'],
    ['poison', 'FAILED', 'sluice executions --status FAILED --stage prod'],
    ['superseded', 'SUCCEEDED', 'Nothing: a newer version'],
    ['vanished', 'SUCCEEDED', 'Put it again if'],
    ['attempted', 'SUCCEEDED', 'its message comes back'],
    ['dead_letter', 'SUCCEEDED', '/aws/lambda/sluice-prod-ingest'],
    ['of-tomorrow', 'SUCCEEDED', 'the release of Sluice that is deployed'],
  ])('that is %s, its execution %s, says what is next', (state, status, next) => {
    const executions = { 'batch-3': { arn: 'arn', status } }
    expect(render({ versions: [versionOfKey({ state })], executions })).toContain(next)
  })

  test.each([
    [null, null, 'none needed'],
    ['batch-9', null, 'batch-9 still to be started'],
    ['batch-9', new Date(0), 'batch-9 no longer kept by Step Functions'],
  ])('with execution %s, started %s, says so', (executionName, startedAt, expected) => {
    const version = versionOfKey()
    if (version.batch === null) throw new Error('the factory makes a batch')
    const batch = { ...version.batch, executionName, startedAt }
    expect(render({ versions: [{ ...version, batch }] })).toContain(`execution  ${expected}`)
  })

  test('that was attempted alone, a dead letter or replayed says so', () => {
    const replay = { id: 4, requestedBy: 'arn:aws:iam::1:user/ann', why: 'contract 2', createdAt: new Date(0) }
    const text = render({
      versions: [versionOfKey({ attemptsBegun: 3, attemptsEnded: 1, claimedBy: 'drain-1', batch: null, replay })],
      executions: { 'drain-1': { arn: 'arn', status: 'RUNNING' } },
    })
    expect(text).toContain('attempts     3 alone, after its message had come back; 1 ended')
    expect(text).toContain('dead letter  taken up by execution drain-1 RUNNING')
    expect(text).toContain('replay       4, 1970-01-01 00:00:00, by arn:aws:iam::1:user/ann: contract 2')
  })
})

test('of many versions the newest two are told in full, the others in a line each, on one screen', () => {
  const versions = Array.from({ length: 20 }, (_, number) => versionOfKey({ versionId: `v${20 - number}` }))
  const text = render({ versions, versionsOmitted: 5, inBucket: { is: 'there', versionId: 'v20', putAt: null } })

  expect(text).toContain('25 versions in the ledger')
  expect(text.match(/ {2}next /g)).toHaveLength(2)
  expect(text).toContain('and 5 versions before these')
  expect(text.split('\n').length).toBeLessThan(50)
})

describe('what the bucket adds', () => {
  const versions = [versionOfKey()]

  test('is nothing when the ledger knows its newest version, or nobody may look', () => {
    const plain = render({ versions })
    expect(plain).not.toContain('bucket')
    expect(render({ versions, inBucket: { is: 'unknown' } })).toBe(plain)
  })

  test('is a newer version that waits', () => {
    const text = render({
      versions,
      inBucket: { is: 'there', versionId: 'v2', putAt: null },
      queues: { waiting: 2, inFlight: 1, deadLetters: 0 },
    })
    expect(text).toContain('The newest version in the bucket, v2, is not among them.')
    expect(text).toContain('2 waiting, 1 in flight')
  })

  test('is that it has been deleted, unless the ledger says so itself', () => {
    expect(render({ versions, inBucket: { is: 'absent' } })).toContain('deleted since')
    const vanished = [versionOfKey({ state: 'vanished' })]
    expect(render({ versions: vanished, inBucket: { is: 'absent' } })).not.toContain('deleted since')
  })
})

describe('a key that the ledger does not know', () => {
  const queues = { waiting: 1, inFlight: 2, deadLetters: 3 }

  test.each([
    ['outside input/', { key: 'archive/orders/1.json' }, 'begin with input/'],
    ['that ends otherwise', { key: 'input/orders/1.JSON' }, 'end in .json, in lower case'],
    ['of no copy', { key: 'quarantine/orders/7.json' }, 'copy or its reason under this key'],
    ['in another bucket', { bucket: 'theirs' }, 'stage prod loads from landing'],
    ['that is in the bucket', { queues }, '1 waiting, 2 in flight, 3 dead letters'],
    [
      'that is in the bucket while the queues are empty',
      {},
      'sluice backfill --prefix input/orders/1.json --why "..." --stage prod',
    ],
    ['whose name a shell would take apart', { key: "input/it's mine.json" }, "--prefix 'input/it'\\''s mine.json'"],
    ['that is not in the bucket', { inBucket: { is: 'absent' as const } }, 'check the spelling'],
    ['whose bucket may not be read', { inBucket: { is: 'unknown' as const } }, 'you may not read it'],
  ])('%s is told what that can mean', (_, fields, expected) => {
    const text = render(fields).replaceAll('\n', ' ')
    expect(text).toContain('The ledger knows no version of it.')
    expect(text).toContain(expected)
  })
})
