/** The way of a transform: what it builds, how it fails and is mended. More in test/slow. */
import { RedriveExecutionCommand } from '@aws-sdk/client-sfn'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { connectTo, type Deployment } from '../../infra/local/demo/deployment.ts'
import { listenToNotices, runSluice, statesOf, untilEnded } from '../support/pipeline.ts'
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
} from '../support/transforms.ts'

let pipeline: Deployment
beforeAll(() => {
  pipeline = connectTo(inject('cloud'), inject('stackOutputs'))
})
afterAll(() => pipeline.database.$client.end())

test('the marts agree with the ledger to the row, and with nothing new a transform writes nothing', async () => {
  await loadOrder(pipeline, 'agree-1')
  const first = await run(pipeline, PERSON)
  expect(first.status).toBe('SUCCEEDED')
  expect(await statesOf(pipeline, first.executionArn ?? '')).toEqual(['ChooseRoute', 'RunDbt', 'Done'])
  expect(await lastRun(pipeline)).toMatchObject({ outcome: 'succeeded', executionName: first.name, failures: [] })
  for (const [what, mart, ledger] of identities) {
    expect(await numberOf(pipeline, mart), what).toBe(await numberOf(pipeline, ledger))
  }

  const before = await countWrittenRows(pipeline)
  expect((await run(pipeline, PERSON)).status).toBe('SUCCEEDED')
  expect(await lastRun(pipeline)).toMatchObject({ outcome: 'succeeded', sources: [], nodes: 0 })
  expect(await countWrittenRows(pipeline)).toBe(before)
})

test('of two that are started at once one builds, and the other ends by the build that was there', async () => {
  const both = await Promise.all([run(pipeline, PERSON), run(pipeline, PERSON)])
  expect(both.map(({ status }) => status)).toEqual(['SUCCEEDED', 'SUCCEEDED'])
  const walked = await Promise.all(both.map(({ executionArn = '' }) => statesOf(pipeline, executionArn)))
  expect(walked.filter((states) => states.includes('RequireAnotherRuns'))).toHaveLength(1)
})

test('the clock starts none while another has the lease', async () => {
  const { executionArn = '' } = await run(pipeline, CLOCK)
  expect(await statesOf(pipeline, executionArn)).toEqual(['ChooseRoute', 'ClaimTransform', 'IsTransformDue', 'Done'])
})

test('a broken model fails RunDbt, the notice names it, and a redrive after the fix builds what it had not', async () => {
  const { endpoint } = inject('cloud')
  const { notices } = await listenToNotices(pipeline)
  // A mart that refuses a row breaks its model without another deployment.
  await pipeline.database.execute(
    sql`alter table marts.orders add constraint broken check (order_id <> 'broken-1') not valid`,
  )
  let failed: Awaited<ReturnType<typeof run>>
  try {
    await loadOrder(pipeline, 'broken-1')
    failed = await run(pipeline, PERSON)
  } finally {
    await pipeline.database.execute(sql`alter table marts.orders drop constraint broken`)
  }
  const executionArn = failed.executionArn ?? ''
  expect(failed.status).toBe('FAILED')
  expect((await statesOf(pipeline, executionArn)).at(-1)).toBe('RunDbt')
  expect(await lastRun(pipeline)).toMatchObject({ outcome: 'failed', failures: [{ name: 'orders', kind: 'model' }] })
  await vi.waitFor(async () => expect((await notices()).join('\n')).toMatch(/model orders/), { timeout: 10_000 })
  const status: string = await runSluice(endpoint, 'status').catch(({ stdout }) => stdout)
  expect(status).toContain('the last transform failed: model orders')

  await pipeline.sfn.send(new RedriveExecutionCommand({ executionArn }))
  expect((await untilEnded(pipeline, executionArn, BUILD_LIMIT_MS)).status).toBe('SUCCEEDED')
  expect(await isInMart(pipeline, 'broken-1')).toBe(true)
})
