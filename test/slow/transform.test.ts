/** Transforms that meet: lease, clock, person, redrive; one that is killed; and how long one takes that finds nothing new. */
import { DescribeExecutionCommand, RedriveExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn'
import { eq, gt } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { transforms } from '../../db/schema.ts'
import { type Cloud, startCloud } from '../../infra/local/cloud.ts'
import { connectTo, type Deployment, databaseParameters } from '../../infra/local/demo/deployment.ts'
import { makeInputs } from '../../infra/local/demo/inputs.ts'
import { isInput } from '../../infra/local/demo/noise.ts'
import { putObjects } from '../../infra/local/demo/put-objects.ts'
import { deployStack } from '../../infra/local/deploy.ts'
import { listExecutionArns, runSluice, statesOf, untilEnded } from '../support/pipeline.ts'
import {
  BUILD_LIMIT_MS,
  CLOCK,
  countWrittenRows,
  identities,
  isInMart,
  lastRun,
  loadOrder,
  numberOf,
  PERSON,
  run,
  runOwnBuild,
  setLease,
  start,
} from '../support/transforms.ts'

let cloud: Cloud
let pipeline: Deployment

beforeAll(async () => {
  cloud = await startCloud({ name: 'transform', waitScale: 0.02, cloudwatchMinuteSeconds: 1 })
  const parameters = databaseParameters(cloud)
  pipeline = connectTo(cloud, await deployStack(cloud, { context: { batchingWindowSeconds: '1' }, parameters }))
})
afterAll(() => cloud?.stop())

// No batch runs a transform unless the test is about it.
beforeEach(async () => {
  await setLease(pipeline, 'infinity')
})

test('of the files of `npm start` the marts are built, and a second transform takes less than half of the first', async () => {
  const { waves } = await makeInputs()
  const inputs = waves.flat().filter(({ key }) => isInput(key)).length
  for (const wave of waves) {
    await putObjects(
      pipeline,
      wave,
      () => false,
      () => {},
    )
  }
  await vi.waitFor(
    async () => {
      expect(await numberOf(pipeline, 'select count(*) from ingest.files')).toBe(inputs)
      expect(await numberOf(pipeline, `select count(*) from ingest.files where status = 'poison'`)).toBe(0)
    },
    { timeout: 120_000, interval: 500 },
  )
  // The packages of dbt are not what is measured.
  const runs = []
  for (let n = 0; n < 2; n++) {
    expect((await run(pipeline, PERSON)).status).toBe('SUCCEEDED')
    runs.push(await lastRun(pipeline))
    if (n > 0) continue
    for (const [what, mart, ledger] of identities) {
      expect(await numberOf(pipeline, mart), what).toBe(await numberOf(pipeline, ledger))
    }
  }
  const [first = 0, second = 0] = runs.map(({ startedAt, endedAt }) => (endedAt?.getTime() ?? 0) - startedAt.getTime())
  expect(runs[1]).toMatchObject({ outcome: 'succeeded', sources: [], nodes: 0 })
  expect(second).toBeLessThan(first / 2)
})

test('a transform that is killed in the middle is lost, and the next one does its work', async () => {
  await loadOrder(pipeline, 'killed-1')
  const before = (await lastRun(pipeline)).id
  const executionArn = await start(pipeline, PERSON)
  const [begun] = await vi.waitFor(
    async () => {
      const found = await pipeline.database.select().from(transforms).where(gt(transforms.id, before))
      expect(found).toHaveLength(1)
      return found
    },
    { timeout: 60_000, interval: 50 },
  )
  await pipeline.sfn.send(new StopExecutionCommand({ executionArn }))

  await runOwnBuild(pipeline)
  const [stopped] = await pipeline.database
    .select()
    .from(transforms)
    .where(eq(transforms.id, begun?.id ?? 0))
  expect(stopped?.outcome).toMatch(/lost|failed/)
  expect(await isInMart(pipeline, 'killed-1')).toBe(true)
})

test('lease, clock, person and redrive at once give one run and no failure', async () => {
  // Something to redrive.
  const stopped = await start(pipeline, PERSON)
  await pipeline.sfn.send(new StopExecutionCommand({ executionArn: stopped }))
  await runOwnBuild(pipeline)
  const before = (await lastRun(pipeline)).id
  const known = await listExecutionArns(pipeline)
  await setLease(pipeline, null)

  const [clock, person] = await Promise.all([
    start(pipeline, CLOCK),
    start(pipeline, PERSON),
    pipeline.sfn.send(new RedriveExecutionCommand({ executionArn: stopped })),
    loadOrder(pipeline, 'at-once-1'),
  ])
  const started = (await listExecutionArns(pipeline)).filter((arn) => !known.includes(arn))
  for (const executionArn of new Set([clock, person, stopped, ...started])) {
    expect((await untilEnded(pipeline, executionArn, BUILD_LIMIT_MS)).status, executionArn).toBe('SUCCEEDED')
  }
  const runs = await pipeline.database.select().from(transforms).where(gt(transforms.id, before))
  expect(runs).toMatchObject([{ outcome: 'succeeded' }])
})

test('the first batch after the interval runs the transform, those after it do not, and the clock finds it done', async () => {
  await setLease(pipeline, null)
  const known = await listExecutionArns(pipeline)
  await loadOrder(pipeline, 'leased-1')
  await loadOrder(pipeline, 'not-leased-1')
  const batches = await vi.waitFor(
    async () => {
      const found = (await listExecutionArns(pipeline)).filter((arn) => !known.includes(arn))
      expect(found).toHaveLength(2)
      return found
    },
    { timeout: 10_000, interval: 100 },
  )
  const routes: string[][] = []
  for (const executionArn of batches) {
    expect((await untilEnded(pipeline, executionArn, BUILD_LIMIT_MS)).status).toBe('SUCCEEDED')
    routes.push(await statesOf(pipeline, executionArn))
  }
  expect(routes.toSorted()).toEqual([
    ['ChooseRoute', 'Done'],
    ['ChooseRoute', 'RunDbt', 'Done'],
  ])
  expect(await isInMart(pipeline, 'leased-1')).toBe(true)

  const written = await countWrittenRows(pipeline)
  const clock = await run(pipeline, CLOCK)
  expect(await statesOf(pipeline, clock.executionArn ?? '')).toEqual([
    ...['ChooseRoute', 'ClaimTransform', 'IsTransformDue', 'Done'],
  ])
  expect(await countWrittenRows(pipeline)).toBe(written)
})

test('`sluice transform` waits for the one that runs, then for its own, and says what it built', async () => {
  const other = await start(pipeline, PERSON)
  await loadOrder(pipeline, 'cli-1')
  const said = await runSluice(cloud.endpoint, 'transform')
  expect((await untilEnded(pipeline, other, BUILD_LIMIT_MS)).status).toBe('SUCCEEDED')
  expect(said).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d succeeded in [\d.]+ s: /)
  expect(await isInMart(pipeline, 'cli-1')).toBe(true)
  const { executionName } = await lastRun(pipeline)
  const arn = `${pipeline.stateMachineArn.replace(':stateMachine:', ':execution:')}:${executionName}`
  const { input } = await pipeline.sfn.send(new DescribeExecutionCommand({ executionArn: arn }))
  expect(JSON.parse(input ?? '')).toMatchObject({ trigger: 'transform', requestedBy: expect.stringMatching(/^arn:/) })

  const status: string = await runSluice(cloud.endpoint, 'status').catch(({ stdout }) => stdout)
  expect(status).toContain(said.trim())
  expect(status).toMatch(/marts +as of \d{4}/)
})
