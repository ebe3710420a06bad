import { sql } from 'drizzle-orm'
import { expect, test, vi } from 'vitest'
import { type Database, openDatabase } from '../../db/client.ts'
import { insertDocuments } from '../../db/documents.ts'
import { type DropOutcome, dropDay, findOldDays } from '../../db/old-partitions.ts'
import { createPartitionsAhead } from '../../db/partitions.ts'
import { droppedDays, transformWatermarks } from '../../db/schema.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { makePastDay, pastPartitions, succeedTransform } from '../support/old-days.ts'

const RETENTION_DAYS = 30

/** Milliseconds for which loading may be held up. */
const HELD_UP_MAX_MS = 100

/** A database, and the sweep's connection to it. */
async function open(): Promise<TestDatabase & { readonly sweep: Database }> {
  const migrated = await createDatabase()
  const sweep = openDatabase(migrated.credentialsOf('maintenance'), 'test-sweep')
  return {
    ...migrated,
    sweep,
    [Symbol.asyncDispose]: async () => {
      await sweep.$client.end()
      await migrated[Symbol.asyncDispose]()
    },
  }
}

/** Drops the first of the old days. */
async function dropFirst({ sweep }: { sweep: Database }): Promise<DropOutcome | undefined> {
  const [first] = await findOldDays(sweep, RETENTION_DAYS)
  return first && (await dropDay(sweep, first))
}

/** A transaction that has read the documents, and is open until it is disposed of. */
async function readDocuments({ credentials }: TestDatabase): Promise<AsyncDisposable> {
  const reader = openDatabase(credentials, 'test-reader')
  await reader.execute('begin')
  await reader.execute('select count(*) from raw.documents')
  return {
    [Symbol.asyncDispose]: async () => {
      await reader.execute('commit')
      await reader.$client.end()
    },
  }
}

test('a day is old when it ended as many days ago as documents are kept, and the oldest comes first', async () => {
  await using open_ = await open()
  const older = await makePastDay(open_.database, RETENTION_DAYS + 20)
  const old = await makePastDay(open_.database, RETENTION_DAYS + 1)
  await makePastDay(open_.database, RETENTION_DAYS)

  expect(await findOldDays(open_.sweep, RETENTION_DAYS)).toEqual(
    [older, old].map(({ day }) => ({ day, state: 'attached' })),
  )
})

test('a day that the marts have whole is dropped with its documents, and the ledger keeps its files and the day', async () => {
  await using open_ = await open()
  const { database } = open_
  const { day, fileIds } = await makePastDay(database, RETENTION_DAYS + 1, [{}, {}])
  await succeedTransform(database)

  expect(await dropFirst(open_)).toBe('dropped')

  expect(await pastPartitions(database)).toEqual([])
  expect(await database.select().from(droppedDays)).toEqual([{ day, droppedAt: expect.any(Date) }])
  const { rows } = await database.execute(sql`select id, state from ingest.current_files order by id`)
  expect(rows.map(({ state }) => state)).toEqual(fileIds.map(() => 'loaded'))
  expect(await createPartitionsAhead(open_.sweep, 31)).toHaveLength(1)
})

test('an empty day needs no transform', async () => {
  await using open_ = await open()
  await makePastDay(open_.database, RETENTION_DAYS + 1, [])

  expect(await dropFirst(open_)).toBe('dropped')
})

test('a day stays until a transform that succeeded has read every file of it', async () => {
  await using open_ = await open()
  const { database } = open_
  await makePastDay(database, RETENTION_DAYS + 1)
  const outcomes = [await dropFirst(open_)]

  await database.execute(sql`
    insert into ingest.transforms (outcome, ended_at) values ('failed', now()), ('lost', now())`)
  outcomes.push(await dropFirst(open_))
  // Of another server: above every transaction of this one.
  await database.execute(sql`
    insert into ingest.transforms (outcome, ended_at, read_below) values ('succeeded', now(), '1000000000000')`)
  outcomes.push(await dropFirst(open_))
  await succeedTransform(database)
  await database.execute(sql`update ingest.files set changed_xid = pg_current_xact_id()`)
  outcomes.push(await dropFirst(open_))
  await succeedTransform(database)
  outcomes.push(await dropFirst(open_))

  expect(outcomes).toEqual(['unread', 'unread', 'unread', 'unread', 'dropped'])
})

test('a day stays while a model that reads its source has not, and goes though another source has long been silent', async () => {
  await using open_ = await open()
  const { database } = open_
  await database.insert(transformWatermarks).values([
    { model: 'int_github_records', readBelow: '1', source: 'github' },
    { model: 'int_orders_records', readBelow: '1', source: 'orders' },
    { model: 'orders', readBelow: '1' },
  ])
  await makePastDay(database, RETENTION_DAYS + 1)
  await succeedTransform(database)

  expect(await dropFirst(open_)).toBe('unread')
  await database.execute(sql`
    update ingest.transform_watermarks set read_below = pg_current_xact_id() where source = 'orders'`)
  expect(await dropFirst(open_)).toBe('dropped')
})

test('a day that somebody reads is left pending, no longer seen, and dropped once he is done', async () => {
  await using open_ = await open()
  const { database } = open_
  const { day } = await makePastDay(database, RETENTION_DAYS + 1)
  await makePastDay(database, RETENTION_DAYS + 2, [])
  await succeedTransform(database)
  await dropFirst(open_)
  {
    await using _reading = await readDocuments(open_)
    expect(await dropFirst(open_)).toBe('busy')
    expect(await findOldDays(open_.sweep, RETENTION_DAYS)).toEqual([{ day, state: 'pending' }])
    expect(await dropFirst(open_)).toBe('busy')
    const { rows } = await database.execute('select count(*)::integer as seen from raw.documents')
    expect(rows).toEqual([{ seen: 0 }])
  }

  expect(await dropFirst(open_)).toBe('dropped')
  expect(await pastPartitions(database)).toEqual([])
})

test('a day that was detached and not dropped, since the sweep was cut short, is dropped', async () => {
  await using open_ = await open()
  const { partition, day } = await makePastDay(open_.database, RETENTION_DAYS + 1)
  await open_.database.execute(`alter table raw.documents detach partition raw.${partition}`)

  expect(await findOldDays(open_.sweep, RETENTION_DAYS)).toEqual([{ day, state: 'detached' }])
  expect(await dropFirst(open_)).toBe('dropped')
  expect(await pastPartitions(open_.database)).toEqual([])
})

test('no day is detached while a model of dbt replaces records', async () => {
  await using open_ = await open()
  await makePastDay(open_.database, RETENTION_DAYS + 1, [])
  const model = openDatabase(open_.credentials, 'test-model')
  await model.execute('begin')
  await model.execute('select pg_advisory_xact_lock_shared(7583003)')

  expect(await dropFirst(open_)).toBe('busy')
  await model.execute('commit')
  expect(await dropFirst(open_)).toBe('dropped')
  await model.$client.end()
})

test('neither the role nor the lock outlives it', async () => {
  await using open_ = await open()
  await makePastDay(open_.database, RETENTION_DAYS + 1, [])
  await dropFirst(open_)

  // The server notices a moment later that its connection was closed.
  await vi.waitFor(async () => {
    const { rows } = await open_.sweep.execute(sql`
      select current_user::text as role, current_setting('lock_timeout') as wait,
        (select count(*)::integer from pg_locks where locktype = 'advisory' and database = (
          select oid from pg_database where datname = current_database())) as locks`)
    expect(rows).toEqual([{ role: 'sluice_maintenance', wait: '10s', locks: 0 }])
  })
})

test('loading is never held up for more than 100 ms while days are dropped, some of them held by a long transaction', async ({
  annotate,
}) => {
  await using open_ = await open()
  const { database, credentialsOf } = open_
  for (let daysAgo = 1; daysAgo <= 8; daysAgo++) await makePastDay(database, RETENTION_DAYS + daysAgo, [{}, {}, {}])
  await succeedTransform(database)
  const { rows } = await database.execute<{ today: string }>(
    sql`select (now() at time zone 'UTC')::date::text as today`,
  )
  const today = rows[0]?.today ?? ''
  const payload = Buffer.from(JSON.stringify({ text: 'x'.repeat(5_000) }))

  let isOver = false
  /** Milliseconds of each insert of ten documents, waits and work: before any day is dropped, and while they are. */
  const taken: Record<'calm' | 'dropping', number[]> = { calm: [], dropping: [] }
  let phase: keyof typeof taken = 'calm'
  const load = async (writer: number) => {
    const session = openDatabase(credentialsOf('ingest'), 'test-ingest')
    // So the limit is of waits alone, and not of what a busy machine makes of them.
    await session.execute(`set lock_timeout = ${HELD_UP_MAX_MS}`)
    for (let fileId = writer * 1_000_000; !isOver; fileId += 10) {
      const documents = Array.from({ length: 10 }, (_, n) => ({ fileId: fileId + n, source: 'orders', bytes: payload }))
      const startedAt = performance.now()
      await session.transaction((transaction) => insertDocuments(transaction, today, documents))
      taken[phase].push(performance.now() - startedAt)
    }
    await session.$client.end()
  }
  const loading = Promise.all([1, 2, 3].map(load))
  while (taken.calm.length < 200) await new Promise((done) => setTimeout(done, 10))
  phase = 'dropping'
  const outcomes: (DropOutcome | undefined)[] = []
  for (let n = 0; n < 4; n++) outcomes.push(await dropFirst(open_))
  {
    await using _reading = await readDocuments(open_)
    // Each waits for 2 s and gives up; the second finds the day pending.
    for (let n = 0; n < 2; n++) outcomes.push(await dropFirst(open_))
  }
  for (let n = 0; n < 4; n++) outcomes.push(await dropFirst(open_))
  isOver = true
  await loading

  const told = Object.entries(taken).map(
    ([name, each]) =>
      `${name}: ${each.length} inserts of ten documents, the longest took ${Math.max(...each).toFixed(1)} ms`,
  )
  await annotate(told.join('; '))
  expect(outcomes).toEqual([...Array(4).fill('dropped'), 'busy', 'busy', ...Array(4).fill('dropped')])
  expect(taken.dropping.length).toBeGreaterThan(200)
})
