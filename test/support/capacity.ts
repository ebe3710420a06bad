/** Feeds a laptop cloud that has AWS's batching window, and simulates what was measured there. */
import { setTimeout as sleep } from 'node:timers/promises'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { asc, eq, isNotNull } from 'drizzle-orm'
import { expect, vi } from 'vitest'
import { batches, files } from '../../db/schema.ts'
import { startCloud } from '../../infra/local/cloud.ts'
import { connectTo, type Deployment, databaseParameters } from '../../infra/local/demo/deployment.ts'
import { deployStack } from '../../infra/local/deploy.ts'
import { type Simulated, simulate } from '../../workflows/capacity/simulation.ts'
import { quantile, summarize } from '../../workflows/capacity/statistics.ts'
import { orderText } from './orders.ts'
import { setLease } from './transforms.ts'

const WINDOW_SECONDS = 55
/** As `infra/local/emulator/batching.py` has them. */
const POLLERS = 5
/** The first batch of each poller tells how long a batch takes, and is not compared. */
const CALIBRATION_BATCHES = POLLERS

/** A file as the ledger has it; times in seconds since the first put. */
interface LoadedFile {
  readonly putAt: number
  readonly committedAt: number
  /** By the order in which batches were received, from 0. */
  readonly batch: number
}

export interface Measured {
  readonly files: readonly LoadedFile[]
  readonly batchSizes: readonly number[]
  /** From receipt to commit, of each batch. */
  readonly batchSeconds: readonly number[]
}

/** What is compared: neither has the batches of the calibration in it. */
export interface Figures {
  readonly batches: number
  readonly meanBatchSize: number
  readonly p50Seconds: number
  readonly p99Seconds: number
}

/** Deploys to a cloud of its own, puts small orders at these instants, and waits until each of them is committed. */
export async function measure(name: string, instants: Float64Array): Promise<Measured> {
  const cloud = await startCloud({ name })
  try {
    const context = { batchingWindowSeconds: String(WINDOW_SECONDS) }
    const pipeline = connectTo(cloud, await deployStack(cloud, { context, parameters: databaseParameters(cloud) }))
    // dbt would take the cores from what is measured.
    await setLease(pipeline, 'infinity')
    await putAt(pipeline, instants)
    const arrive = async () => expect(await pipeline.database.$count(files)).toBe(instants.length)
    // What was put last leaves at the end of a window.
    await vi.waitFor(arrive, { timeout: 2 * WINDOW_SECONDS * 1_000, interval: 1_000 })
    const measured = await readLedger(pipeline)
    await pipeline.database.$client.end()
    return measured
  } finally {
    await cloud.stop()
  }
}

async function putAt(pipeline: Deployment, instants: Float64Array): Promise<void> {
  const start = performance.now()
  const puts: Promise<unknown>[] = []
  for (const [number, instant] of instants.entries()) {
    await sleep(Math.max(0, start + instant * 1_000 - performance.now()))
    const Body = orderText({ order_id: `C-${number}` })
    const Key = `input/orders/capacity/${number}.json`
    puts.push(pipeline.s3.send(new PutObjectCommand({ Bucket: pipeline.bucket, Key, Body })))
  }
  await Promise.all(puts)
}

async function readLedger({ database }: Deployment): Promise<Measured> {
  const loaded = await database
    .select({ putAt: files.eventAt, batchId: files.batchId, committedAt: batches.committedAt })
    .from(files)
    .innerJoin(batches, eq(batches.id, files.batchId))
    .where(eq(files.status, 'loaded'))
    .orderBy(asc(files.eventAt), asc(files.id))
  const received = await database
    .select()
    .from(batches)
    .where(isNotNull(batches.committedAt))
    .orderBy(asc(batches.receivedAt))
  const first = loaded[0]?.putAt?.getTime() ?? 0
  const place = new Map(received.map(({ id }, index) => [id, index]))
  return {
    files: loaded.map(({ putAt, batchId, committedAt }) => ({
      putAt: ((putAt?.getTime() ?? 0) - first) / 1_000,
      committedAt: ((committedAt?.getTime() ?? 0) - first) / 1_000,
      batch: place.get(batchId ?? 0) ?? -1,
    })),
    batchSizes: received.map((batch) => batch.files),
    batchSeconds: received.map(
      ({ receivedAt, committedAt }) => ((committedAt ?? receivedAt).getTime() - receivedAt.getTime()) / 1_000,
    ),
  }
}

/** Simulates the laptop cloud with the puts as they were, and the time of a file as the first batches took it. */
export function predict({ files, batchSizes, batchSeconds }: Measured): Simulated {
  const calibration = batchSeconds
    .slice(0, CALIBRATION_BATCHES)
    .map((seconds, batch) => seconds / (batchSizes[batch] ?? 1))
  const perFile = quantile(
    calibration.toSorted((a, b) => a - b),
    0.5,
  )
  return simulate({
    arrivals: Float64Array.from(files, ({ putAt }) => putAt),
    seed: 1,
    mapping: {
      ...{ batchSize: 100, windowSeconds: WINDOW_SECONDS, maximumConcurrency: 5, messageBytes: 2_000 },
      ...{ pollers: POLLERS, receiveSeconds: 0, choice: 'in turn' },
    },
    service: {
      fixedSeconds: 0,
      functionSecondsPerFile: perFile,
      getSeconds: 0,
      databaseSecondsPerFile: 0,
      followUpSeconds: 0,
    },
    ...{ cores: 2, deliverySeconds: 0, visibilityTimeoutSeconds: 415, failingShare: 0 },
  })
}

export function figuresOfMeasured({ files, batchSizes }: Measured): Figures {
  return figuresOf(
    batchSizes,
    files.map(({ batch, putAt, committedAt }) => ({ batch, lag: committedAt - putAt })),
  )
}

export function figuresOfPredicted({ files }: Measured, { batchSizes, batchOf, committedAt }: Simulated): Figures {
  const lagOf = (putAt: number, file: number) => (committedAt[file] ?? 0) - putAt
  return figuresOf(
    batchSizes,
    files.map(({ putAt }, file) => ({ batch: batchOf[file] ?? -1, lag: lagOf(putAt, file) })),
  )
}

function figuresOf(batchSizes: readonly number[], files: readonly { batch: number; lag: number }[]): Figures {
  const compared = batchSizes.slice(CALIBRATION_BATCHES)
  const { p50, p99 } = summarize(files.filter(({ batch }) => batch >= CALIBRATION_BATCHES).map(({ lag }) => lag))
  return { batches: compared.length, meanBatchSize: summarize(compared).mean, p50Seconds: p50, p99Seconds: p99 }
}
