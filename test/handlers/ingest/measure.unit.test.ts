import { describe, expect, test } from 'vitest'
import type { RecordedFile } from '../../../db/files.ts'
import { type FileOutcome, measureFiles, measureInvocation, outcomesOf } from '../../../handlers/ingest/measure.ts'
import type { CreatedObject } from '../../../handlers/s3-event.ts'
import { orders } from '../../../handlers/sources/orders.ts'

const PUT = new Date('2026-11-24T10:00:00.000Z')
const COMMIT = new Date('2026-11-24T10:00:58.250Z')

const object = (changed: Partial<CreatedObject> = {}): CreatedObject => ({
  bucket: 'landing',
  key: 'input/orders/1.json',
  versionId: 'v1',
  sequencer: '0A',
  sizeBytes: 2,
  eventAt: PUT,
  ...changed,
})

const taken = (status: RecordedFile['status'], { bucket, key, versionId } = object()): RecordedFile => ({
  ...{ id: 1, bucket, key, versionId },
  status,
})

const outcomeOf = (status: RecordedFile['status'] | undefined, file = object()) =>
  outcomesOf([{ object: file, source: orders }], status === undefined ? [] : [taken(status, file)], COMMIT)[0]

const file = (outcome: FileOutcome['outcome'], source: string | null = 'orders'): FileOutcome => ({
  ...{ source, outcome },
  putToCommitSeconds: outcome === 'loaded' ? 58.25 : null,
})

const valuesOf = (measurements: ReturnType<typeof measureFiles>) =>
  measurements.map(({ source, name, values }) => [source, name, values])

describe('an outcome', () => {
  test.each([
    ['loaded', 'loaded'],
    ['poison', 'refused'],
    ['quarantined', 'refused'],
    ['vanished', 'vanished'],
    [undefined, 'repeated'],
  ] as const)('of what the ledger took as %s is %s', (status, outcome) => {
    expect(outcomeOf(status)).toMatchObject({ source: 'orders', outcome })
  })

  test('counts only what the ledger took: another version of the key is another file', () => {
    const files = [object(), object({ versionId: 'v2' })].map((each) => ({ object: each, source: orders }))

    const outcomes = outcomesOf(files, [taken('loaded', object({ versionId: 'v2' }))], COMMIT)

    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['repeated', 'loaded'])
  })

  test('has no source when none claims the key', () => {
    const [outcome] = outcomesOf([{ object: object(), source: undefined }], [taken('poison')], COMMIT)
    expect(outcome?.source).toBeNull()
  })
})

describe('the time from put to commit', () => {
  test('is that of a newly loaded file', () => {
    expect(outcomeOf('loaded')?.putToCommitSeconds).toBe(58.25)
  })

  test('is no less than nothing, though S3 has another clock', () => {
    const inAMinute = object({ eventAt: new Date(COMMIT.getTime() + 60_000) })
    expect(outcomeOf('loaded', inAMinute)?.putToCommitSeconds).toBe(0)
  })

  test.each([
    ['that was refused', 'poison', object()],
    ['that is repeated', undefined, object()],
    ['without a time of its put', 'loaded', object({ eventAt: null })],
    ['that was found in a listing', 'loaded', object({ sequencer: null })],
    ['that a person had loaded again', 'loaded', object({ replay: { id: 1, copyKey: null } })],
  ] as const)('is not told of a file %s', (_, status, given) => {
    expect(outcomeOf(status, given)?.putToCommitSeconds).toBeNull()
  })
})

describe('of committed files is measured', () => {
  test('for each source how many are loaded, and a value for each file that was judged', () => {
    const measured = measureFiles([file('loaded'), file('refused'), file('loaded'), file('refused', null)])

    expect(valuesOf(measured)).toEqual([
      ['orders', 'FilesLoaded', [2]],
      ['orders', 'FilesRefused', [0, 1, 0]],
      ['none', 'FilesLoaded', [0]],
      ['none', 'FilesRefused', [1]],
    ])
  })

  test('how many vanished or are repeated, and those were not judged', () => {
    const measured = measureFiles([file('vanished'), file('repeated'), file('repeated')])

    expect(valuesOf(measured)).toEqual([
      ['orders', 'FilesLoaded', [0]],
      ['orders', 'FilesRefused', []],
      ['orders', 'FilesVanished', [1]],
      ['orders', 'FilesRepeated', [2]],
    ])
  })

  test('nothing when there are none', () => {
    expect(measureFiles([])).toEqual([])
  })
})

test('of an invocation is measured its size, what came again, its slices, and a time for each newly loaded file', () => {
  const messages = [{ isRedelivered: true }, { isRedelivered: false }, { isRedelivered: false }]

  const measured = measureInvocation(messages, 2, [file('loaded'), file('refused'), file('loaded')])

  expect(valuesOf(measured.filter(({ source }) => source === undefined))).toEqual([
    [undefined, 'BatchSize', [3]],
    [undefined, 'Redeliveries', [1]],
    [undefined, 'Slices', [2]],
    [undefined, 'PutToCommit', [58.25, 58.25]],
  ])
  expect(new Set(measured.map(({ unit, name }) => (name === 'PutToCommit' ? unit : `not ${unit}`)))).toEqual(
    new Set(['Seconds', 'not Count']),
  )
})
