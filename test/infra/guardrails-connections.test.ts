import { describe, expect, test } from 'vitest'
import type { AuroraOptions } from '../../infra/aurora.ts'
import { make, override, told, withAurora } from './guardrails.ts'
import { stageOf } from './synthesized.ts'

const provisioned = (instanceType: string) => withAurora({ compute: { kind: 'provisioned', instanceType } })
const serverless = (minUnits: number, maxUnits: number) =>
  withAurora({ compute: { kind: 'serverless', minUnits, maxUnits } satisfies AuroraOptions['compute'] })

describe('the ingest function', () => {
  test('may run as often as its mappings start it', () => {
    expect(told({}, override('Ingestion/Ingest', 'ReservedConcurrentExecutions', 6))).toEqual([
      'Ingestion/Ingest: 6 executions are reserved, fewer than the 7 (5 + 2) that its mappings start at once, and what is ' +
        "throttled uses up its receives. Leave the reservation, and the mappings' maximum, to ingestion.ts, or lower " +
        'ingestConcurrency to 4.',
    ])
    expect(told({}, override('Ingestion/Ingest', 'ReservedConcurrentExecutions', 7))).toEqual([])
  })

  test('is started by no mapping that has no bound', () => {
    expect(told({}, override('Ingestion/ReplayQueueMapping', 'ScalingConfig', undefined))).toEqual([
      expect.stringMatching(/^Ingestion\/Ingest: 7 executions are reserved, fewer than the 1255 \(5 \+ 1250\)/),
    ])
  })
})

describe('the database', () => {
  test('takes all that may connect at once', () => {
    // 25 of other functions, 6 of dbt, the migration, 20 of readers and 2 of replays leave 304 of 358.
    expect(told({ ingestConcurrency: 305 })).toEqual([
      expect.stringMatching(
        /^Aurora\/Cluster\/Writer: 359 connections .*Ingestion\/Ingest 307, other functions 25, dbt 6, the migration 1, readers 20\), more than the 358 that a db\.t4g\.medium has for us\. Lower ingestConcurrency to 304, or choose a larger aurora\.compute\.instanceType\.$/,
      ),
    ])
    expect(told({ ingestConcurrency: 304 })).toEqual([])
  })

  test('of a larger class takes more, up to what Aurora allows', () => {
    expect(told({ ingestConcurrency: 305, ...provisioned('r8g.large') })).toEqual([])
    expect(told({ ingestConcurrency: 1_000, replayConcurrency: 1_000, ...provisioned('r8g.16xlarge') })).toEqual([])
  })

  test.each(['r9z.large', 't4g.nano'])('of the class %s is not known, and that is told', (instanceType) => {
    expect(told(provisioned(instanceType))).toEqual([
      expect.stringMatching(
        new RegExp(
          `^Aurora/Cluster/Writer, Aurora/Cluster/Reader: how many connections a db\\.${instanceType} takes is not known, .* 59 fit\\. Add it to workflows/capacity/instance-classes\\.ts, or choose an aurora\\.compute\\.instanceType`,
        ),
      ),
    ])
  })

  test('is as small as its smallest instance: each may be the writer after a failure', () => {
    const smallerReader = override('Aurora/Cluster/Reader', 'DBInstanceClass', 'db.t4g.medium')

    expect(told({ ingestConcurrency: 305, ...provisioned('r8g.large') }, smallerReader)).toEqual([
      expect.stringMatching(/^Aurora\/Cluster\/Reader: 359 connections .* the 358 that a db\.t4g\.medium/),
    ])
  })

  test('that is serverless goes by its largest size', () => {
    const wanted = { ingestConcurrency: 305 }

    expect(told({ ...wanted, ...serverless(1, 1.5) })).toEqual([
      expect.stringMatching(
        /a serverless instance of 1 to 1\.5 units .* or raise aurora\.compute\.maxUnits to 2\.5\.$/,
      ),
    ])
    expect(told({ ...wanted, ...serverless(1, 2.5) })).toEqual([])
  })

  test('that may become very small takes 2,000 at most', () => {
    const wanted = { ingestConcurrency: 1_000, replayConcurrency: 1_000 }

    expect(told({ ...wanted, ...serverless(0.5, 32) })).toEqual([
      expect.stringMatching(
        /the 1980 that a serverless instance of 0\.5 to 32 units .* raise aurora\.compute\.maxUnits to 32 and minUnits to 1\.$/,
      ),
    ])
    expect(told({ ...wanted, ...serverless(1, 32) })).toEqual([])
  })

  test('is asked by as many as mappings and the Map start, where nothing is reserved', () => {
    const { stack } = make({ ...stageOf('prod'), reservesConcurrency: false, ingestConcurrency: 400 })

    // The Map's 5 in LoadFile, 5 in each of the nine others that nothing bounds.
    expect(stack.node.validate()).toEqual([expect.stringMatching(/Ingestion\/Ingest 402, other functions 50, /)])
  })

  test('of the laptop is as large as the laptop', () => {
    expect(make({ ...stageOf('local'), ingestConcurrency: 900 }).stack.node.validate()).toEqual([])
  })
})
