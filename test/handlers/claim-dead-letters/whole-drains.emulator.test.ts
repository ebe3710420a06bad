/** The state machine, walked, with the real functions behind its Tasks. */
import { DeleteObjectCommand } from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { beginAttempt, findKnownVersions } from '../../../db/attempts.ts'
import { documents } from '../../../db/schema.ts'
import { claimDeadLettersInput, loadFileInput } from '../../../handlers/contract.ts'
import type { IngestDependencies } from '../../../handlers/ingest/ingest-slice.ts'
import { awsClients } from '../../support/aws.ts'
import { ingestDependencies } from '../../support/ingest.ts'
import { type OpenDrain, openDrain } from '../../support/open-drain.ts'
import { pipelineDefinition } from '../../workflows/definition.ts'
import { examples } from '../../workflows/examples.ts'
import { failed } from '../../workflows/routes.ts'
import { type Results, run } from '../../workflows/run.ts'

const payloadOf = (given: unknown): unknown => z.object({ Payload: z.unknown() }).parse(given).Payload

/** What a drain has told, in order. */
type Notices = { readonly Subject: string; readonly Message: string }[]

function tasks(drain: OpenDrain, notices: Notices = [], changed: Partial<IngestDependencies> = {}): Results {
  const claim = async (given: unknown) => {
    const { drain: name, ...asked } = claimDeadLettersInput.parse(payloadOf(given))
    return { Payload: await drain.claim(name, asked) }
  }
  return {
    CollectDeadLetters: async () => ({ Payload: await drain.collect() }),
    ClaimDeadLetters: claim,
    RequireNoneRemain: claim,
    LoadFile: async (given: unknown) => ({
      Payload: await drain.load(loadFileInput.parse(payloadOf(given)).fileId, changed),
    }),
    PublishNotice: (notice: Notices[number]) => {
      notices.push(notice)
      return { MessageId: 'message' }
    },
  }
}

const runDrain = (name: string, results: Results) =>
  run(pipelineDefinition(), examples.get('dead-letters'), results, name)

/** Three files of each kind, mixed: good, bad, and gone from the bucket. */
async function mixedDeadLetters(drain: OpenDrain, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const id = await drain.deadLetter(`${n}`, n % 3 === 1 ? 'bad' : undefined)
    if (n % 3 !== 2) continue
    const { key: Key, versionId: VersionId } = (await drain.fileOf(id)) ?? {}
    await drain.s3.send(new DeleteObjectCommand({ Bucket: drain.bucket, Key, VersionId }))
  }
}

async function countByStatus(drain: OpenDrain): Promise<Record<string, number>> {
  const byStatus = Object.groupBy(await drain.ledgerRows(), (row) => row.status)
  return Object.fromEntries(Object.entries(byStatus).map(([status, rows = []]) => [status, rows.length]))
}

test('a drain settles every dead letter and tells once', async () => {
  await using drain = await openDrain()
  await mixedDeadLetters(drain, 6)
  const notices: Notices = []

  const { failure, output } = await runDrain('a', tasks(drain, notices))

  expect(failure).toBeUndefined()
  expect(output).toEqual({ fileIds: [], notice: expect.anything() })
  expect(await countByStatus(drain)).toEqual({ loaded: 2, poison: 2, vanished: 2 })
  expect(notices).toMatchObject([{ Subject: 'Sluice: 6 dead letters, none left' }])
})

test('two drains at once share the dead letters, load each once and tell of all between them', async () => {
  await using drain = await openDrain()
  await mixedDeadLetters(drain, 120)
  const other = await ingestDependencies(awsClients(), drain.ledger, drain.stateMachineArn)
  const notices: Notices = []

  const runs = await Promise.all([
    runDrain('a', tasks(drain, notices)),
    runDrain('b', tasks({ ...drain, withDatabase: other.withDatabase }, notices, other)),
  ])

  expect(runs.map(({ failure }) => failure)).toEqual([undefined, undefined])
  expect(await countByStatus(drain)).toEqual({ loaded: 40, poison: 40, vanished: 40 })
  expect(await drain.database.$count(documents)).toBe(40)
  const loads = runs.flatMap(({ calls }) => calls.filter(({ state }) => state === 'LoadFile'))
  expect(new Set(loads.map((call) => JSON.stringify(payloadOf(call.arguments)))).size).toBe(120)
  expect(loads).toHaveLength(120)
  const told = notices.map(({ Subject }) => Number(/\d+/.exec(Subject)?.[0]))
  expect(told.reduce((sum, count) => sum + count)).toBe(120)
})

test('what an execution had claimed when it was lost half-way is taken over when its lease is over', async () => {
  await using drain = await openDrain()
  await mixedDeadLetters(drain, 9)
  const all = tasks(drain)
  let loads = 0
  const losing = async (given: unknown) => {
    // No error that the definition knows: the execution ends, and all that it holds stays leased.
    if (++loads > 4) throw failed('Lost')
    return typeof all.LoadFile === 'function' ? await all.LoadFile(given) : undefined
  }

  const lost = await runDrain('lost', { ...all, LoadFile: losing })
  expect(lost.failure).toMatchObject({ state: 'LoadDeadLetters', error: 'Lost' })
  expect(await countByStatus(drain)).toMatchObject({ dead_letter: 5 })

  expect(await drain.sweep()).toMatchObject({ drainStarted: null })
  await drain.expireClaims()
  expect(await drain.sweep()).toMatchObject({ drainStarted: expect.any(String) })
  const notices: Notices = []
  const next = await runDrain('next', tasks(drain, notices))

  expect(next.failure).toBeUndefined()
  expect(await countByStatus(drain)).toEqual({ loaded: 3, poison: 3, vanished: 3 })
  expect(await drain.database.$count(documents)).toBe(3)
  expect(notices).toMatchObject([{ Subject: 'Sluice: 5 dead letters, none left' }])
})

test('while S3 is ill everything stays dead, the drain tells and fails, and a redrive loads it', async () => {
  await using drain = await openDrain()
  await drain.deadLetter('1')
  await drain.deadLetter('2')
  const notices: Notices = []
  const ill = { reader: { ...drain.ingest.reader, s3: awsClients('http://127.0.0.1:9').s3 } }

  const { failure, calls } = await runDrain('a', tasks(drain, notices, ill))

  expect(failure).toMatchObject({ state: 'RequireNoneRemain', error: 'DeadLettersRemain' })
  expect(calls.filter(({ state }) => state === 'LoadFile')).toHaveLength(8)
  expect(await countByStatus(drain)).toEqual({ dead_letter: 2 })

  const redriven = await failure?.redrive(tasks(drain, notices))

  expect(redriven?.failure).toBeUndefined()
  expect(await countByStatus(drain)).toEqual({ loaded: 2 })
  expect(notices.map(({ Subject }) => Subject)).toEqual([
    'Sluice: 2 dead letters, 2 still dead',
    'Sluice: 2 dead letters, none left',
  ])
})

test('a file that ends the function is refused at its fourth try, and its neighbours are loaded', async () => {
  await using drain = await openDrain()
  await drain.deadLetter('1')
  const killer = await drain.deadLetter('killer')
  await drain.deadLetter('2')
  const all = tasks(drain)
  const LoadFile = async (given: unknown) => {
    const file = await drain.fileOf(killer)
    if (file === undefined) throw new Error('no file')
    const { bucket, key, versionId } = file
    const [known] = (await findKnownVersions(drain.database, [file])).values()
    const isKiller = loadFileInput.parse(payloadOf(given)).fileId === killer
    if (isKiller && (known?.openAttempts ?? 0) < 3) {
      await beginAttempt(drain.database, { bucket, key, versionId })
      throw failed('Runtime.OutOfMemory')
    }
    return typeof all.LoadFile === 'function' ? await all.LoadFile(given) : undefined
  }

  const { failure, calls } = await runDrain('a', { ...all, LoadFile })

  expect(failure).toBeUndefined()
  expect(calls.filter(({ state }) => state === 'LoadFile')).toHaveLength(1 + 4 + 1)
  expect(await countByStatus(drain)).toEqual({ loaded: 2, poison: 1 })
  expect(await drain.fileOf(killer)).toMatchObject({ reason: { kind: 'crashes-loader' } })
})
