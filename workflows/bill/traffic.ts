/** How often everything happens in a month: from the load, and from what the template says of batches, schedules and builds. */
import { z } from 'zod'
import type { Assumed } from './estimate.ts'
import type { Load } from './load.ts'
import { pipelineOf, statesOnWay } from './machine.ts'
import { resourcesOf, type Template } from './template.ts'

export const HOURS = 730
export const DAYS = HOURS / 24

const schedule = z.looseObject({
  ScheduleExpression: z.string(),
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  Target: z.looseObject({ Input: z.string().optional() }),
})
const functionVariables = z.looseObject({
  Environment: z.looseObject({ Variables: z.record(z.string(), z.unknown()) }).optional(),
})
const mapping = z.looseObject({
  BatchSize: z.number().default(10),
  MaximumBatchingWindowInSeconds: z.number().default(0),
})

export interface ScheduleRuns {
  readonly trigger: string
  readonly runs: number
}

export interface Traffic {
  readonly files: number
  /** GB that producers put. */
  readonly gigabytes: number
  readonly refused: number
  readonly redelivered: number
  readonly batches: number
  /** Batches with a file that is refused. */
  readonly refusedBatches: number
  readonly schedules: readonly ScheduleRuns[]
  /** Of the transform. */
  readonly builds: number
}

export function trafficOf(template: Template, load: Load, assumed: Assumed): Traffic {
  const files = load.filesPerDay * DAYS
  const batches = files / load.filesPerBatch
  const schedules = schedulesOf(template)
  const everyInterval = (HOURS * 60) / transformIntervalMinutes(template)
  const clock = schedules.find(({ trigger }) => trigger === 'transform')?.runs ?? 0
  return {
    files,
    gigabytes: (files * load.kilobytes) / 1e6,
    refused: files * assumed.refusedShare,
    redelivered: files * assumed.redeliveredShare,
    batches,
    refusedBatches: batches * (1 - (1 - assumed.refusedShare) ** load.filesPerBatch),
    schedules,
    // The first batch of an interval has the marts built; the clock does when none comes.
    builds: Math.max(clock, Math.min(everyInterval, batches)),
  }
}

function schedulesOf(template: Template): ScheduleRuns[] {
  return resourcesOf(template, 'AWS::Scheduler::Schedule', schedule)
    .filter(({ State }) => State === 'ENABLED')
    .map(({ ScheduleExpression, Target, id }) => ({
      trigger: String(JSON.parse(Target.Input ?? '{}').trigger ?? id),
      runs: runsOf(ScheduleExpression, id),
    }))
}

const MINUTES: Readonly<Record<string, number>> = { minute: 1, hour: 60, day: 1_440 }

function runsOf(expression: string, id: string): number {
  const [, amount, unit = ''] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? []
  if (amount === undefined)
    throw new Error(`Schedule ${id}: ${expression} is no rate(...), and how often it runs is not known.`)
  return (HOURS * 60) / (Number(amount) * (MINUTES[unit] ?? 1))
}

/** As the functions know it; an hour where none does. */
function transformIntervalMinutes(template: Template): number {
  return variableOf(template, 'TRANSFORM_INTERVAL_MINUTES') ?? 60
}

/** A number in the environment of a function, if one has it. */
export function variableOf(template: Template, name: string): number | undefined {
  const values = resourcesOf(template, 'AWS::Lambda::Function', functionVariables)
    .map(({ Environment }) => Environment?.Variables[name])
    .filter((value) => value !== undefined)
  return values.length === 0 ? undefined : Number(values[0])
}

/** States that the executions of a month enter, by why they were started. */
export function transitionsOf(template: Template, traffic: Traffic, assumed: Assumed): [number, string, number][] {
  const machine = pipelineOf(template)?.machine
  if (machine === undefined) return []
  const plain = statesOnWay(machine, 'batch')
  const { batches, refusedBatches, redelivered, builds, schedules } = traffic
  return [
    [batches - refusedBatches, 'batches', plain],
    [refusedBatches, 'with refused files', statesOnWay(machine, 'batch', 'QuarantineFiles')],
    [redelivered, 'files loaded alone', plain],
    [builds, 'with a transform', statesOnWay(machine, 'batch', 'RunDbt') - plain],
    ...schedules.map(({ trigger, runs }): [number, string, number] => {
      return [
        runs,
        `by the clock: ${trigger}`,
        statesOnWay(machine, trigger, trigger === 'transform' ? 'ClaimTransform' : undefined),
      ]
    }),
    // Each is an iteration of the Map; what is around it is shared by 50.
    [machine.States.LoadDeadLetters ? assumed.drainedFiles : 0, 'dead letters', 2],
  ]
}

/** Files that a batch may hold; 1 where nothing feeds on a queue. */
export const largestBatch = (template: Template): number =>
  resourcesOf(template, 'AWS::Lambda::EventSourceMapping', mapping)[0]?.BatchSize ?? 1

/** Pollers among which a mapping's messages are divided: all of them, two, or one. */
const SHARED_BY = [5, 2, 1]

/**
 * Files in a batch, by how many pollers share what comes in a window: AWS does not say. With 100,000 files a day and a window of
 * 55 s they are 13, 32 and 64.
 */
export function batchFills(template: Template, filesPerDay: number): number[] {
  const [first] = resourcesOf(template, 'AWS::Lambda::EventSourceMapping', mapping)
  const { BatchSize = 1, MaximumBatchingWindowInSeconds = 0 } = first ?? {}
  const inWindow = (filesPerDay / 86_400) * MaximumBatchingWindowInSeconds
  return [...new Set(SHARED_BY.map((pollers) => Math.min(BatchSize, Math.max(1, Math.round(inWindow / pollers)))))]
}
