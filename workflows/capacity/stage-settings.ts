/** What a stage is deployed with, read from its template, as far as capacity depends on it. */
import { z } from 'zod'
import { ASSUMPTIONS } from '../bill/assumptions.ts'
import { resourcesOf, type Template } from '../bill/template.ts'
import { variableOf } from '../bill/traffic.ts'

export interface StageSettings {
  readonly batchSize: number
  readonly windowSeconds: number
  readonly ingestConcurrency: number
  readonly ingestTimeoutSeconds: number
  readonly memoryMegabytes: number
  readonly visibilityTimeoutSeconds: number
  /** Of all functions of the stage together; 0 where none is reserved. */
  readonly reservedConcurrency: number
  /** E.g. `t4g.medium`, or `serverless`. */
  readonly instanceType: string
  /** The most that a serverless writer grows to. */
  readonly maxUnits: number | undefined
  readonly transformIntervalMinutes: number
  /** Days for which documents are kept. */
  readonly rawRetentionDays: number
}

const reference = z.union([z.looseObject({ Ref: z.string() }), z.looseObject({ 'Fn::GetAtt': z.array(z.string()) })])
const mapping = z.looseObject({
  BatchSize: z.number(),
  MaximumBatchingWindowInSeconds: z.number(),
  EventSourceArn: reference,
  ScalingConfig: z.looseObject({ MaximumConcurrency: z.number() }),
})
const queue = z.looseObject({ QueueName: z.string().optional(), VisibilityTimeout: z.number().optional() })
const lambda = z.looseObject({
  FunctionName: z.string().optional(),
  Timeout: z.number().optional(),
  MemorySize: z.number().optional(),
  ReservedConcurrentExecutions: z.number().optional(),
  Environment: z.looseObject({ Variables: z.record(z.string(), z.unknown()) }).optional(),
})
const instance = z.looseObject({ DBInstanceClass: z.string(), PromotionTier: z.number().optional() })
const cluster = z.looseObject({
  ServerlessV2ScalingConfiguration: z.looseObject({ MaxCapacity: z.number() }).optional(),
})

/**
 * Reads the settings of a template.
 *
 * @throws when the template has no database of its own, as that of stage `local`, or no ingest queue with its mapping
 */
export function readStageSettings(template: Template): StageSettings {
  const ingestQueue = named(resourcesOf(template, 'AWS::SQS::Queue', queue), ({ QueueName }) => QueueName)
  const functions = resourcesOf(template, 'AWS::Lambda::Function', lambda)
  const ingest = named(functions, ({ FunctionName }) => FunctionName)
  const fed = resourcesOf(template, 'AWS::Lambda::EventSourceMapping', mapping).find(({ EventSourceArn }) =>
    JSON.stringify(EventSourceArn).includes(`"${ingestQueue.id}"`),
  )
  const [writer] = resourcesOf(template, 'AWS::RDS::DBInstance', instance).toSorted(
    (a, b) => (a.PromotionTier ?? 1) - (b.PromotionTier ?? 1),
  )
  const [volume] = resourcesOf(template, 'AWS::RDS::DBCluster', cluster)
  if (fed === undefined) throw new Error(`No mapping feeds a function from the queue ${ingestQueue.id}.`)
  if (writer === undefined) throw new Error('The stage has no database of its own: name one on AWS with --stage.')
  return {
    batchSize: fed.BatchSize,
    windowSeconds: fed.MaximumBatchingWindowInSeconds,
    ingestConcurrency: fed.ScalingConfig.MaximumConcurrency,
    // Lambda's own defaults.
    ingestTimeoutSeconds: ingest.Timeout ?? 3,
    memoryMegabytes: ingest.MemorySize ?? 128,
    visibilityTimeoutSeconds: ingestQueue.VisibilityTimeout ?? 30,
    reservedConcurrency: functions.reduce((sum, { ReservedConcurrentExecutions: own = 0 }) => sum + own, 0),
    instanceType: writer.DBInstanceClass.replace('db.', ''),
    maxUnits: volume?.ServerlessV2ScalingConfiguration?.MaxCapacity,
    transformIntervalMinutes: Number(ingest.Environment?.Variables.TRANSFORM_INTERVAL_MINUTES),
    rawRetentionDays: variableOf(template, 'RAW_RETENTION_DAYS') ?? ASSUMPTIONS.rawRetentionDays.value,
  }
}

/** The queue and the function `sluice-<stage>-ingest`. */
function named<Resource>(resources: readonly Resource[], nameOf: (resource: Resource) => string | undefined): Resource {
  const found = resources.find((resource) => nameOf(resource)?.endsWith('-ingest'))
  if (found === undefined) throw new Error('The template has no queue or function sluice-<stage>-ingest.')
  return found
}
