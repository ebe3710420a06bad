import { sql } from 'drizzle-orm'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { beginErasure, eraseFromDatabase } from '../../../db/erasures.ts'
import { recordFiles } from '../../../db/files.ts'
import { dropDay } from '../../../db/old-partitions.ts'
import type { Reason } from '../../../db/schema.ts'
import { databaseFromSecret } from '../../../handlers/database.ts'
import { quarantineFiles } from '../../../handlers/quarantine-files/quarantine-files.ts'
import { answer, type LedgerDependencies } from '../../../handlers/read-ledger/answer.ts'
import {
  type LedgerQuestion,
  ledgerAnswers,
  REFUSALS_MAX,
  VERSIONS_MAX,
} from '../../../handlers/read-ledger/contract.ts'
import { sources } from '../../../handlers/sources/registry.ts'
import { awsClients, createVersionedBucket, databaseEnvironment, putObject } from '../../support/aws.ts'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { fileRecord } from '../../support/ledger.ts'
import { makePastDay, succeedTransform } from '../../support/old-days.ts'

/** Lambda refuses a longer answer. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const LAMBDA_ANSWER_BYTES_MAX = 6 * 1024 * 1024

const { s3, secrets } = awsClients()
let ledger: TestDatabase
let dependencies: LedgerDependencies

beforeEach(async () => {
  ledger = await createDatabase()
  const environment = await databaseEnvironment(secrets, ledger.credentialsOf('inspection'))
  dependencies = { withDatabase: databaseFromSecret(secrets, environment, 'test-read-ledger'), bucket: 'landing' }
})
afterEach(() => ledger[Symbol.asyncDispose]())
afterAll(() => {
  for (const client of [s3, secrets]) client.destroy()
})

/** As the command line gets it. */
async function ask<Question extends LedgerQuestion>(question: Question) {
  const bytes = JSON.stringify(await answer(dependencies, question))
  return { bytes, parsed: ledgerAnswers[question.question].parse(JSON.parse(bytes)) }
}

const since = new Date('2026-01-01')

/** As long as a reason gets. */
const longReason: Reason = {
  kind: 'contract',
  contractVersion: 1,
  issues: Array.from({ length: 20 }, () => {
    const text = 'é'.repeat(100)
    return { path: text, rule: text, expected: text, found: text }
  }),
  issuesOmitted: 7,
}

test.each<LedgerQuestion>([
  { question: 'landing' },
  { question: 'status', since },
  { question: 'explain', key: 'input/orders/1.json' },
  { question: 'quarantine', limit: 10 },
  { question: 'batches', limit: 10 },
])('an empty ledger answers $question in the shape of the contract', async (question) => {
  await expect(ask(question)).resolves.toBeDefined()
})

test('every version is in exactly one state of one source, and every deployed source is there', async () => {
  const key = 'input/orders/1.json'
  await recordFiles(ledger.database, [
    fileRecord({ key, sequencer: '01' }),
    fileRecord({ key, sequencer: '02' }),
    ...(['attempted', 'dead_letter', 'vanished', 'poison', 'quarantined'] as const).map((status) =>
      fileRecord({ status, source: status === 'poison' ? null : 'orders' }),
    ),
    fileRecord({ key: 'input/orders/erased.json' }),
    fileRecord({ key: 'input/orders/erased.json', status: 'quarantined' }),
  ])
  const erased = { bucket: 'landing', key: 'input/orders/erased.json' }
  await beginErasure(ledger.database, { ...erased, requestedBy: 'arn:ann', why: 'test' })
  await eraseFromDatabase(ledger.database, erased, { source: 'orders', versions: [], spellings: [] })

  const { parsed } = await ask({ question: 'status', since })

  expect(parsed).toMatchObject({
    sources: expect.arrayContaining([
      {
        source: 'orders',
        states: {
          ...{ loaded: 1, superseded: 1, quarantined: 1, poison: 0, vanished: 1, attempted: 1, dead_letter: 1 },
          erased: 2,
        },
        lastLoadedAt: expect.any(Date),
        expectedEveryHours: 2,
        putToCommit: null,
      },
      expect.objectContaining({ source: null, states: expect.objectContaining({ poison: 1, loaded: 0 }) }),
      ...sources.map(({ name }) => expect.objectContaining({ source: name })),
    ]),
  })
})

test('a version whose document was dropped by age says when, and one that was erased says by whom and why', async () => {
  const { day } = await makePastDay(ledger.database, 40, [{ key: 'input/orders/1.json', sequencer: '01' }])
  const identity = { bucket: 'landing', key: 'input/orders/1.json' }
  await succeedTransform(ledger.database)
  await dropDay(ledger.database, { day, state: 'attached' })
  const dropped = await ask({ question: 'explain', key: identity.key })
  expect(dropped.parsed).toMatchObject({
    versions: [{ state: 'loaded', loadedOn: day, documentDroppedAt: expect.any(Date), erasedAt: null }],
    erasures: [],
  })

  await beginErasure(ledger.database, { ...identity, requestedBy: 'arn:ann', why: 'test' })
  await eraseFromDatabase(ledger.database, identity, { source: 'orders', versions: [], spellings: [] })
  const erased = await ask({ question: 'explain', key: identity.key })
  expect(erased.parsed).toMatchObject({
    versions: [{ state: 'erased', erasedAt: expect.any(Date) }],
    erasures: [{ requestedBy: 'arn:ann', why: 'test', begunAt: expect.any(Date), completedAt: null }],
  })
})

test('a copy and a reason under quarantine/ lead to the file that was refused', async () => {
  const bucket = await createVersionedBucket(s3)
  const { s3: event } = await putObject(s3, bucket, 'input/orders/bad.json', 'bad')
  const versionId = event.object.versionId ?? ''
  const refused = { bucket, key: 'input/orders/bad.json', versionId, status: 'poison' as const, reason: longReason }
  const [row] = await recordFiles(ledger.database, [fileRecord(refused)])
  const environment = await databaseEnvironment(secrets, ledger.credentialsOf('maintenance'))
  await quarantineFiles({ s3, withDatabase: databaseFromSecret(secrets, environment, 'test') }, [row?.id ?? 0])

  for (const key of [`quarantine/orders/${row?.id}.json`, `quarantine/orders/${row?.id}.reason.json`]) {
    const { parsed } = await ask({ question: 'explain', bucket, key })
    expect(parsed).toMatchObject({
      key: 'input/orders/bad.json',
      owner: expect.stringContaining('@'),
      versions: [{ versionId, state: 'quarantined', reason: longReason }],
    })
  }
  const { parsed } = await ask({ question: 'explain', bucket, key: `quarantine/orders/${row?.id}0.json` })
  expect(parsed).toMatchObject({ key: `quarantine/orders/${row?.id}0.json`, versions: [], versionsOmitted: 0 })
})

test('the longest answers are far below what Lambda returns, and say how much they leave out', async () => {
  const key = `input/orders/${'k'.repeat(1_000)}.json`
  const versions = Array.from({ length: VERSIONS_MAX + 5 }, () =>
    fileRecord({ key, status: 'quarantined', reason: longReason }),
  )
  const others = Array.from({ length: REFUSALS_MAX }, (_, number) =>
    fileRecord({ key: `${key}${number}`, status: 'quarantined', reason: longReason }),
  )
  await recordFiles(ledger.database, versions)
  await recordFiles(ledger.database, others)

  const explained = await ask({ question: 'explain', key })
  const listed = await ask({ question: 'quarantine', limit: REFUSALS_MAX })

  expect(explained.parsed).toMatchObject({ versionsOmitted: 5 })
  expect(listed.parsed).toMatchObject({ byKind: [{ kind: 'contract', count: versions.length + others.length }] })
  for (const { bytes } of [explained, listed]) {
    expect(Buffer.byteLength(bytes)).toBeLessThan(LAMBDA_ANSWER_BYTES_MAX / 2)
  }
})

test('answers come from a transaction that cannot write', async () => {
  const withDatabase: LedgerDependencies['withDatabase'] = (work) =>
    dependencies.withDatabase(async (database) => {
      const transaction: typeof database.transaction = (inner, options) =>
        database.transaction(async (session) => {
          await session.execute(sql`delete from ingest.files`)
          return await inner(session)
        }, options)
      return await work(Object.assign(Object.create(database), { transaction }))
    })

  // 25006: read_only_sql_transaction
  await expect(answer({ ...dependencies, withDatabase }, { question: 'batches', limit: 1 })).rejects.toMatchObject({
    name: 'LedgerNotRead',
    message: expect.stringContaining('25006'),
  })
})

test('a database that is down is told by its code, without a statement or a parameter', async () => {
  const environment = await databaseEnvironment(secrets, { ...ledger.credentials, dbname: 'no_such_database' })
  const lost = { ...dependencies, withDatabase: databaseFromSecret(secrets, environment, 'test-read-ledger') }

  await expect(answer(lost, { question: 'explain', key: 'input/orders/secret.json' })).rejects.toMatchObject({
    name: 'LedgerNotRead',
    message: 'the ledger could not be read: 3D000',
  })
})
