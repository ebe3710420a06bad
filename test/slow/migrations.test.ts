/** Releases with migrations, deployed one after another from a copy of this tree to one laptop cloud. */
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { ListExecutionsCommand } from '@aws-sdk/client-sfn'
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs'
import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { currentFiles, documents } from '../../db/schema.ts'
import { type Cloud, startCloud } from '../../infra/local/cloud.ts'
import { connectTo, type Deployment, databaseParameters } from '../../infra/local/demo/deployment.ts'
import { deployStack } from '../../infra/local/deploy.ts'
import { copyTree } from '../support/copy-tree.ts'
import { addMigration, removeLastMigration } from '../support/migrations.ts'
import { orderText } from '../support/orders.ts'

let copy: string
let migrations: string
let cloud: Cloud
let pipeline: Deployment

beforeAll(async () => {
  copy = copyTree()
  migrations = join(copy, 'db/migrations')
  cloud = await startCloud({ name: 'migrations', waitScale: 0.02, cloudwatchMinuteSeconds: 1 })
})
afterAll(async () => {
  await pipeline?.database.$client.end()
  await cloud?.stop()
  rmSync(copy, { recursive: true, force: true })
})

const deploy = () =>
  deployStack(cloud, {
    app: `node ${join(copy, 'infra/app.ts')}`,
    context: { batchingWindowSeconds: '1' },
    parameters: databaseParameters(cloud),
  })

async function put(key: string): Promise<void> {
  await pipeline.s3.send(
    new PutObjectCommand({ Bucket: pipeline.bucket, Key: `input/orders/${key}.json`, Body: orderText() }),
  )
}

async function expectLoads(key: string): Promise<void> {
  await put(key)
  await vi.waitFor(
    async () => {
      const found = await pipeline.database
        .select({ state: currentFiles.state })
        .from(currentFiles)
        .where(eq(currentFiles.key, `input/orders/${key}.json`))
      expect(found).toEqual([{ state: 'loaded' }])
    },
    { timeout: 30_000, interval: 200 },
  )
}

async function applied(): Promise<number> {
  const { rows } = await pipeline.database.execute<{ count: number }>(
    sql`select count(*)::integer as count from drizzle.__drizzle_migrations`,
  )
  return rows[0]?.count ?? 0
}

async function columnsOfFiles(): Promise<string[]> {
  const { rows } = await pipeline.database.execute<{ name: string }>(
    sql`select column_name as name from information_schema.columns where table_schema = 'ingest' and table_name = 'files'`,
  )
  return rows.map(({ name }) => name)
}

/** Asked without a client: nothing else here needs one of CloudFormation. */
async function stackStatus(): Promise<string | undefined> {
  const response = await fetch(cloud.endpoint, {
    method: 'POST',
    headers: {
      authorization: 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/cloudformation/aws4_request',
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams({ Action: 'DescribeStacks', StackName: 'Sluice-local', Version: '2010-05-15' }),
  })
  return /<StackStatus>(\w+)</.exec(await response.text())?.[1]
}

async function buildLog(): Promise<string> {
  const logs = new CloudWatchLogsClient({
    endpoint: cloud.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
  const { events = [] } = await logs.send(
    new FilterLogEventsCommand({ logGroupName: '/aws/codebuild/sluice-local-migrate' }),
  )
  logs.destroy()
  return events.map(({ message }) => message).join('\n')
}

let released = 0

test('the first release makes the schema, and files load', async () => {
  pipeline = connectTo(cloud, await deploy())
  // No batch starts a run of dbt: what it does is not looked at here.
  await pipeline.database.execute(sql`update ingest.transform_lease set held_until = 'infinity'`)
  released = JSON.parse(readFileSync(join(migrations, 'meta/_journal.json'), 'utf8')).entries.length

  expect(await applied()).toBe(released)
  expect(await buildLog()).toContain(`${released} applied, ${released} in all; 31 partitions made.`)
  await expectLoads('first')
})

test('a migration that fails fails the deployment by name; everything is as before, and works', async () => {
  const broken =
    'alter table ingest.files add column region text;--> statement-breakpoint\nselect region from ingest.fils'
  addMigration(migrations, '9000_region', broken)
  const failure = await deploy().then(
    () => '',
    (error: Error) => error.message,
  )

  expect(failure).toMatch(/Build sluice-local-migrate:\S+ of project sluice-local-migrate: FAILED in phase BUILD/)
  expect(failure).toContain(
    'Not migrated, nothing was changed. 9000_region, statement 2 of 2: ERROR 42P01: relation "ingest.fils" does not exist',
  )
  expect(await stackStatus()).toBe('UPDATE_ROLLBACK_COMPLETE')
  expect(await applied()).toBe(released)
  expect(await columnsOfFiles()).not.toContain('region')
  await expectLoads('after-failure')
})

test('the same migration, mended, deploys', async () => {
  writeFileSync(join(migrations, '9000_region.sql'), 'alter table ingest.files add column region text')
  await deploy()

  expect(await stackStatus()).toBe('UPDATE_COMPLETE')
  expect(await applied()).toBe(released + 1)
  expect(await columnsOfFiles()).toContain('region')
  await expectLoads('mended')
})

test('a release with a migration, deployed while files come all the time, loses none of them', async () => {
  addMigration(
    migrations,
    '9001_priority',
    `alter table ingest.files add column priority integer default 0 not null;--> statement-breakpoint
    create index files_priority on ingest.files (priority)`,
  )
  // Another bundle of the function too, so that it is exchanged under load.
  const handler = join(copy, 'handlers/ingest/handler.ts')
  const before = readFileSync(handler, 'utf8')
  appendFileSync(handler, '\nexport const release = 2\n')

  let isDeployed = false
  let count = 0
  const putting = async () => {
    while (!isDeployed) {
      await Promise.all(Array.from({ length: 10 }, () => put(`under-load/${count++}`)))
      // About a hundred a second: as fast as this machine loads them.
      await new Promise((done) => setTimeout(done, 100))
    }
  }
  const load = putting()
  await deploy().finally(() => {
    isDeployed = true
  })
  await load
  writeFileSync(handler, before)

  expect(await columnsOfFiles()).toContain('priority')
  expect(count).toBeGreaterThan(100)
  const ofLoad = sql`${currentFiles.key} like 'input/orders/under-load/%'`
  await vi.waitFor(
    async () => {
      const found = await pipeline.database.select({ state: currentFiles.state }).from(currentFiles).where(ofLoad)
      expect(Object.entries(Object.groupBy(found, ({ state }) => state ?? '')).map(([s, f]) => [s, f?.length])).toEqual(
        [['loaded', count]],
      )
    },
    // A message that came back is hidden for six times the timeout of the function.
    { timeout: 400_000, interval: 1_000 },
  )
  expect(await pipeline.database.$count(documents)).toBe(count + 3)
  const { Attributes = {} } = await pipeline.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: pipeline.deadLetterQueueUrl, AttributeNames: ['All'] }),
  )
  expect([Attributes.ApproximateNumberOfMessages, Attributes.ApproximateNumberOfMessagesNotVisible]).toEqual(['0', '0'])
  const { executions = [] } = await pipeline.sfn.send(
    new ListExecutionsCommand({ stateMachineArn: pipeline.stateMachineArn, statusFilter: 'FAILED' }),
  )
  expect(executions).toEqual([])
})

test('the release before deploys to the newer database, warns, and works', async () => {
  removeLastMigration(migrations)
  await deploy()

  expect(await stackStatus()).toBe('UPDATE_COMPLETE')
  expect(await buildLog()).toContain('WARNING: nothing to do, the database is newer than this release')
  expect(await applied()).toBe(released + 2)
  await expectLoads('rolled-back')
})
