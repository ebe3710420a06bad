/** A deployed pipeline's transform, as tests have it run and look at what it built. */
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { StartExecutionCommand } from '@aws-sdk/client-sfn'
import { eq, sql } from 'drizzle-orm'
import { expect, vi } from 'vitest'
import { files, transformLease } from '../../db/schema.ts'
import { listTransforms } from '../../db/transforms.ts'
import type { Deployment } from '../../infra/local/demo/deployment.ts'
import { orderText } from './orders.ts'
import { untilEnded } from './pipeline.ts'

export const BUILD_LIMIT_MS = 120_000

/** Inputs of the pipeline. */
export const PERSON = { trigger: 'transform', requestedBy: 'arn:aws:iam::000000000000:user/ada' }
export const CLOCK = { trigger: 'transform' }

/** Held for ever, no batch runs a transform; null: the next one does. */
export const setLease = (pipeline: Deployment, heldUntil: 'infinity' | null) =>
  pipeline.database.update(transformLease).set({
    heldBy: heldUntil && 'the tests',
    heldUntil: heldUntil && sql`'infinity'`,
    succeededAt: null,
  })

/** Starts an execution; returns its ARN. */
export async function start({ sfn, stateMachineArn }: Deployment, input: object): Promise<string> {
  const started = await sfn.send(new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }))
  return started.executionArn ?? ''
}

export const run = async (pipeline: Deployment, input: object) =>
  await untilEnded(pipeline, await start(pipeline, input), BUILD_LIMIT_MS)

/** Runs until a build is our own: one that is being stopped still counts as running for a moment. */
export const runOwnBuild = (pipeline: Deployment) =>
  vi.waitFor(
    async () => {
      const ended = await run(pipeline, PERSON)
      expect(ended.status).toBe('SUCCEEDED')
      expect(ended.output).toContain('"buildId"')
    },
    { timeout: BUILD_LIMIT_MS, interval: 1_000 },
  )

export async function lastRun(pipeline: Deployment) {
  const [run] = await listTransforms(pipeline.database, 1)
  if (run === undefined) throw new Error('no transform ever ran')
  return run
}

/** The one number that a query returns. */
export async function numberOf(pipeline: Deployment, query: string): Promise<number> {
  const { rows } = await pipeline.database.execute<{ value: string | null }>(sql.raw(`select (${query}) as value`))
  return Number(rows[0]?.value ?? 0)
}

/** Puts an order and waits until it is loaded. */
export async function loadOrder(pipeline: Deployment, orderId: string): Promise<void> {
  const body = JSON.stringify({ ...JSON.parse(orderText()), order_id: orderId })
  const Key = `input/orders/transform/${orderId}.json`
  const { VersionId } = await pipeline.s3.send(new PutObjectCommand({ Bucket: pipeline.bucket, Key, Body: body }))
  await vi.waitFor(
    async () => expect(await pipeline.database.$count(files, eq(files.versionId, VersionId ?? ''))).toBe(1),
    { timeout: 20_000, interval: 100 },
  )
}

export const isInMart = async (pipeline: Deployment, orderId: string): Promise<boolean> =>
  (await numberOf(pipeline, `select count(*) from marts.orders where order_id = '${orderId}'`)) === 1

/** Rows that dbt wrote in all. */
export const countWrittenRows = (pipeline: Deployment) =>
  numberOf(
    pipeline,
    `select sum(n_tup_ins + n_tup_upd + n_tup_del) from pg_stat_user_tables
     where schemaname in ('staging', 'intermediate', 'marts')`,
  )

/** What agrees when the marts are complete: what, a query of the mart, and one of the ledger. */
export const identities: readonly (readonly [what: string, mart: string, ledger: string])[] = [
  ['files of ingest_daily', 'select sum(files) from marts.ingest_daily', 'select count(*) from ingest.files'],
  [
    'loaded of ingest_daily',
    'select sum(loaded) from marts.ingest_daily',
    `select count(*) from ingest.current_files where state = 'loaded'`,
  ],
  [
    'files of quarantine_reasons',
    'select sum(files) from marts.quarantine_reasons',
    `select count(*) from ingest.current_files where state in ('poison', 'quarantined')`,
  ],
  ...['orders', 'github', 'earthquakes', 'stock-movements'].map(
    (source) =>
      [
        `records of ${source}`,
        `select count(*) from intermediate.int_${source.replace('-', '_')}_records`,
        `select sum(records) from ingest.current_files where state = 'loaded' and source = '${source}'`,
      ] as const,
  ),
  [
    'orders',
    'select count(*) from marts.orders',
    `select count(distinct document.payload ->> 'order_id')
     from ingest.current_files file join raw.documents document on document.file_id = file.id
     where file.state = 'loaded' and file.source = 'orders'`,
  ],
]
