import { DescribeExecutionCommand, ListExecutionsCommand } from '@aws-sdk/client-sfn'
import { asc, eq, sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { openDatabase } from '../../../db/client.ts'
import { recordFiles } from '../../../db/files.ts'
import { batches, files } from '../../../db/schema.ts'
import type { WithDatabase } from '../../../handlers/database.ts'
import { awsClients } from '../../support/aws.ts'
import { fileRecord } from '../../support/ledger.ts'
import { makePastDay, pastPartitions, succeedTransform } from '../../support/old-days.ts'
import { type OpenDrain, openDrain } from '../../support/open-drain.ts'

const NOTHING = {
  ...{ isDatabaseUp: true, batchesStarted: 0, drainStarted: null, poisonFileIds: [] },
  ...{ partitionsCreated: 0, partitionsDropped: 0, partitionsOverdue: 0 },
}

/** A committed batch that asks for an execution which nobody has started. Returns its id. */
async function unstartedBatch(drain: OpenDrain, name: string, age: string): Promise<number> {
  const [row] = await drain.database
    .insert(batches)
    .values({ requestId: 'request', receivedAt: new Date(), messages: 1, executionName: name, executionInput: '' })
    .returning()
  const id = row?.id ?? 0
  await drain.database
    .update(batches)
    .set({
      committedAt: sql`now() - ${age}::interval`,
      // As it stands: spaces and order of fields are part of it.
      executionInput: `{"trigger": "batch", "poisonFileIds": [], "batchId": ${id}}`,
    })
    .where(eq(batches.id, id))
  return id
}

/** Names of the executions that were started, in the order of the names. */
async function executions({ sfn, stateMachineArn }: OpenDrain): Promise<string[]> {
  const { executions: all = [] } = await sfn.send(new ListExecutionsCommand({ stateMachineArn }))
  return all.map(({ name = '' }) => name).toSorted()
}

async function inputOf({ sfn, stateMachineArn }: OpenDrain, name: string): Promise<string | undefined> {
  const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`
  const { input } = await sfn.send(new DescribeExecutionCommand({ executionArn }))
  return input
}

const startedIds = async ({ database }: OpenDrain) =>
  (await database.select().from(batches).where(sql`started_at is not null`).orderBy(asc(batches.id))).map(
    ({ id }) => id,
  )

describe('a batch whose execution was never started', () => {
  test('is started with the name and the very bytes that its row says, once it is 5 minutes old', async () => {
    await using drain = await openDrain()
    const old = await unstartedBatch(drain, 'batch-old', '6 minutes')
    const oldest = await unstartedBatch(drain, 'batch-oldest', '13 days')
    await unstartedBatch(drain, 'batch-young', '4 minutes')
    await unstartedBatch(drain, 'batch-too-old', '15 days')

    expect(await drain.sweep()).toEqual({ ...NOTHING, batchesStarted: 2 })

    expect(await executions(drain)).toEqual(['batch-old', 'batch-oldest'])
    expect(await inputOf(drain, 'batch-old')).toBe(`{"trigger": "batch", "poisonFileIds": [], "batchId": ${old}}`)
    expect(await startedIds(drain)).toEqual([old, oldest])
  })

  test('that was started after all is not started twice', async () => {
    await using drain = await openDrain()
    const id = await unstartedBatch(drain, 'batch-1', '6 minutes')
    await drain.sweep()
    // The start was not noted.
    await drain.database.update(batches).set({ startedAt: null })

    expect(await drain.sweep()).toEqual({ ...NOTHING, batchesStarted: 1 })

    expect(await executions(drain)).toEqual(['batch-1'])
    expect(await startedIds(drain)).toEqual([id])
    expect(await drain.sweep()).toEqual(NOTHING)
  })

  test('keeps asking while Step Functions cannot be reached, and the rest of the sweep goes on', async () => {
    await using drain = await openDrain()
    await unstartedBatch(drain, 'batch-1', '6 minutes')
    const [poison] = await recordFiles(drain.database, [fileRecord({ status: 'poison' })])
    await drain.database.update(files).set({ changedAt: sql`now() - interval '6 minutes'` })

    const outcome = await drain.sweep({ sfn: awsClients('http://127.0.0.1:9').sfn })

    expect(outcome).toEqual({ ...NOTHING, poisonFileIds: [poison?.id] })
    expect(await startedIds(drain)).toEqual([])
    expect(await drain.sweep()).toMatchObject({ batchesStarted: 1 })
  })

  test('that brought nothing new asks for none', async () => {
    await using drain = await openDrain()
    const id = await unstartedBatch(drain, 'batch-1', '6 minutes')
    await drain.database.update(batches).set({ executionName: null, executionInput: null }).where(eq(batches.id, id))

    expect(await drain.sweep()).toEqual(NOTHING)
  })
})

test('a refused file without a copy is named once its refusal is 5 minutes old, the oldest first, 100 at most', async () => {
  await using drain = await openDrain()
  const recorded = await recordFiles(
    drain.database,
    Array.from({ length: 102 }, () => fileRecord({ status: 'poison' })),
  )
  await recordFiles(drain.database, [fileRecord({ status: 'quarantined' }), fileRecord({ status: 'loaded' })])
  const [young = 0, ...old] = recorded.map((row) => row.id).toSorted((a, b) => a - b)
  await drain.database.update(files).set({ changedAt: sql`now() - interval '1 day' + make_interval(secs => id)` })
  await drain.database.update(files).set({ changedAt: sql`now() - interval '4 minutes'` }).where(eq(files.id, young))

  expect(await drain.sweep()).toEqual({ ...NOTHING, poisonFileIds: old.slice(0, 100) })
})

describe('a drain', () => {
  const now = new Date('2026-11-24T17:11:00.123Z')
  const name = 'dead-letters-20261124T171100Z'

  test('is started when a dead letter of the ledger has no drain that takes care of it', async () => {
    await using drain = await openDrain()
    await recordFiles(drain.database, [fileRecord({ status: 'dead_letter' })])

    expect(await drain.sweep({}, now)).toEqual({ ...NOTHING, drainStarted: name })

    expect(await executions(drain)).toEqual([name])
    expect(await inputOf(drain, name)).toBe('{"trigger":"dead-letters"}')
  })

  test('is started when one waits in the queue', async () => {
    await using drain = await openDrain()
    await drain.die('anything')

    expect(await drain.sweep({}, now)).toEqual({ ...NOTHING, drainStarted: name })
    expect(await drain.queueDepth()).toEqual({ visible: 1, hidden: 0 })
  })

  test('is started once by two sweeps within a second', async () => {
    await using drain = await openDrain()
    await drain.die('anything')

    const outcomes = [await drain.sweep({}, now), await drain.sweep({}, new Date(now.getTime() + 500))]

    expect(outcomes.map(({ drainStarted }) => drainStarted)).toEqual([name, name])
    expect(await executions(drain)).toEqual([name])
  })

  test('is not started while another takes care, and is when its lease is over', async () => {
    await using drain = await openDrain()
    await recordFiles(drain.database, [fileRecord({ status: 'dead_letter' })])
    await drain.claim('another')

    expect(await drain.sweep({}, now)).toEqual(NOTHING)
    await drain.expireClaims()
    expect(await drain.sweep({}, now)).toEqual({ ...NOTHING, drainStarted: name })
  })
})

test('a partition that is missing ahead is made', async () => {
  await using drain = await openDrain()
  const { rows } = await drain.database.execute<{ name: string }>(
    sql`select to_char((now() at time zone 'UTC')::date + 30, '"documents_"YYYYMMDD') as name`,
  )
  await drain.database.execute(sql.raw(`drop table raw.${rows[0]?.name}`))

  expect(await drain.sweep()).toEqual({ ...NOTHING, partitionsCreated: 1 })
  expect(await drain.sweep()).toEqual(NOTHING)
})

describe('documents that are older than they are kept', () => {
  test('are dropped by the day once the marts have them, and counted as overdue until then', async () => {
    await using drain = await openDrain()
    const read = [await makePastDay(drain.database, 40), await makePastDay(drain.database, 35, [{}, {}])]
    await succeedTransform(drain.database)
    const unread = await makePastDay(drain.database, 38)
    const young = await makePastDay(drain.database, 30)

    expect(await drain.sweep()).toEqual({ ...NOTHING, partitionsDropped: read.length, partitionsOverdue: 1 })

    expect(await pastPartitions(drain.database)).toEqual([unread.partition, young.partition])
    await succeedTransform(drain.database)
    expect(await drain.sweep()).toEqual({ ...NOTHING, partitionsDropped: 1 })
    expect(await drain.sweep()).toEqual(NOTHING)
  })

  test('are tried three times while somebody reads them, fail nothing, and are dropped by the next sweep', async () => {
    await using drain = await openDrain()
    await makePastDay(drain.database, 40)
    await makePastDay(drain.database, 39)
    await succeedTransform(drain.database)
    const reader = openDatabase(drain.ledger.credentials, 'test-reader')
    await reader.execute('begin')
    await reader.execute('select count(*) from raw.documents')
    let tries = 0
    const withDatabase: WithDatabase = (work, end) =>
      drain.withDatabase((database) => {
        if (work.toString().includes('dropDay')) tries++
        return work(database)
      }, end)

    expect(await drain.sweep({ withDatabase })).toEqual({ ...NOTHING, partitionsOverdue: 2 })
    await reader.execute('commit')
    await reader.$client.end()

    expect(tries).toBe(3)
    expect(await drain.sweep()).toEqual({ ...NOTHING, partitionsDropped: 2 })
  })

  test('are dropped ten days at a time', async () => {
    await using drain = await openDrain()
    for (let daysAgo = 31; daysAgo <= 42; daysAgo++) await makePastDay(drain.database, daysAgo, [])

    expect(await drain.sweep()).toEqual({ ...NOTHING, partitionsDropped: 10, partitionsOverdue: 2 })
    expect(await drain.sweep()).toEqual({ ...NOTHING, partitionsDropped: 2 })
  })
})

describe('a database that is down', () => {
  const quiet = { ...NOTHING, isDatabaseUp: false }

  test('ends the sweep quietly, and nothing else is looked at', async () => {
    await using drain = await openDrain()
    await drain.die('anything')
    const withDatabase: WithDatabase = () => Promise.reject(Object.assign(new Error('x'), { code: 'ECONNREFUSED' }))

    expect(await drain.sweep({ withDatabase })).toEqual(quiet)
    expect(await executions(drain)).toEqual([])
  })

  test('ends it quietly and in time when it hangs, too', async () => {
    await using drain = await openDrain()
    const pid = await drain.withDatabase(async (database) => {
      const { rows } = await database.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`)
      return rows[0]?.pid ?? 0
    })
    process.kill(pid, 'SIGSTOP')
    const startedAt = performance.now()
    try {
      expect(await drain.sweep({}, new Date(), 3_500)).toEqual(quiet)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    expect(performance.now() - startedAt).toBeLessThan(3_500)
  })

  test('in mid-sweep fails it', async () => {
    await using drain = await openDrain()
    let questions = 0
    const withDatabase: WithDatabase = (work, end) =>
      ++questions > 1 ? Promise.reject(new Error('the database went down')) : drain.withDatabase(work, end)

    await expect(drain.sweep({ withDatabase })).rejects.toThrow('the database went down')
  })
})
