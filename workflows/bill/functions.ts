/** Lambda: how often each function is called, and for how long it runs. */
import { z } from 'zod'
import type { Estimate } from './estimate.ts'
import { type BillLine, charge, count } from './line.ts'
import { prices } from './prices.ts'
import { listedPages } from './storage.ts'
import { countOf, resourcesOf, type Template } from './template.ts'
import { DAYS } from './traffic.ts'

const lambdaFunction = z.looseObject({
  FunctionName: z.string().optional(),
  MemorySize: z.number().default(128),
  Architectures: z.array(z.string()).default(['x86_64']),
})

interface Calls {
  readonly calls: number
  readonly seconds: number
}

/** Seconds for a cold start, which is paid for. */
const COLD_SECONDS = 0.6
/** AWS's own functions that change a password: four calls each time, of 128 MB. */
const ROTATION_CALLS = 4
const ROTATION_SECONDS = 3
const ROTATION_DAYS = 30

/** A page of the listing, and its look into the ledger. */
const PAGE_SECONDS = 0.1
/** What 30 s of a call are good for. */
const PAGES_PER_CALL = 300
/** Erasures that people ask for in a month. */
const ERASURES = 10

/** By the folder under `handlers/` that is in the function's name. */
function callsOf(estimate: Estimate): Record<string, Calls> {
  const { traffic, load, assumed } = estimate
  const { batches, redelivered, refusedBatches, schedules, files } = traffic
  const runs = (trigger: string) => schedules.find((each) => each.trigger === trigger)?.runs ?? 0
  const busy = Math.sign(files)
  const perFile =
    assumed.ingestMillisecondsPerFile / 1e3 + (assumed.ingestMicrosecondsPerKilobyte * load.kilobytes) / 1e6
  const task = (calls: number): Calls => ({ calls, seconds: assumed.taskSeconds })
  const drained = assumed.drainedFiles * busy
  return {
    ingest: {
      calls: batches + redelivered,
      seconds:
        assumed.ingestSecondsPerBatch +
        ((batches * load.filesPerBatch + redelivered) / Math.max(1, batches + redelivered)) * perFile,
    },
    'quarantine-files': task(refusedBatches),
    sweep: task(runs('sweep')),
    'claim-transform': task(runs('transform')),
    'collect-dead-letters': task(drained),
    'claim-dead-letters': task(drained),
    'load-file': { calls: drained, seconds: assumed.ingestSecondsPerBatch + perFile },
    // As much of the listing in one call as its time allows.
    'reconcile-files': {
      calls: runs('reconcile') * Math.ceil(listedPages(estimate) / PAGES_PER_CALL),
      seconds: Math.min(listedPages(estimate), PAGES_PER_CALL) * PAGE_SECONDS,
    },
    'erase-file': task(ERASURES * busy),
    'replay-files': task((assumed.replayedFiles / 100) * busy),
    'read-ledger': task(assumed.questions * busy),
    // It waits for the migration.
    'start-build': { calls: assumed.deployments * busy, seconds: assumed.migrateMinutes * 60 },
  }
}

export const folderOf = (functionName: string): string => /^sluice-[^-]+-(.+)$/.exec(functionName)?.[1] ?? functionName

/** Functions of which nobody here knows how often they are called. Those without a name are CDK's own, called by deployments. */
export function unknownFunctions(estimate: Estimate): string[] {
  const known = callsOf(estimate)
  return resourcesOf(estimate.template, 'AWS::Lambda::Function', lambdaFunction)
    .filter(({ FunctionName }) => FunctionName !== undefined && known[folderOf(FunctionName)] === undefined)
    .map(({ id, FunctionName }) => `AWS::Lambda::Function ${id}: how often ${FunctionName} is called is not known`)
}

export function functionLines(estimate: Estimate): BillLine[] {
  const { template, assumed } = estimate
  const known = callsOf(estimate)
  const used = resourcesOf(template, 'AWS::Lambda::Function', lambdaFunction).flatMap((found) => {
    const folder = found.FunctionName === undefined ? 'CDK' : folderOf(found.FunctionName)
    const ofCdk: Calls = { calls: assumed.deployments * Math.sign(estimate.traffic.files), seconds: 5 }
    const { calls, seconds } = (folder === 'CDK' ? ofCdk : known[folder]) ?? { calls: 0, seconds: 0 }
    const gigabytes = found.MemorySize / 1_024
    const whole = seconds + assumed.coldShare * COLD_SECONDS
    const rate = found.Architectures.includes('arm64') ? prices.lambdaArm : prices.lambdaX86
    return [{ folder, calls, seconds: whole, gigabytes, rate, used: calls * whole * gigabytes }]
  })
  const [ingest, rest] = [
    used.filter(({ folder }) => folder === 'ingest'),
    used.filter(({ folder }) => folder !== 'ingest'),
  ]
  const rotations = countOf(template, 'AWS::SecretsManager::RotationSchedule') * ROTATION_CALLS * (DAYS / ROTATION_DAYS)
  const calls = rest.reduce((sum, each) => sum + each.calls, 0) + rotations
  const ofTasks = rest.filter(({ rate }) => rate === prices.lambdaArm).reduce((sum, each) => sum + each.used, 0)
  const ofAws = rest.filter(({ rate }) => rate === prices.lambdaX86).reduce((sum, each) => sum + each.used, 0)
  return [
    ...ingest.map((each) =>
      charge('Lambda: ingest runs', each.rate, [
        [each.used, `${count(each.calls)} calls x ${count(each.seconds)} s x ${count(each.gigabytes)} GB`],
      ]),
    ),
    ...ingest.map((each) =>
      charge('Lambda: ingest is called', prices.lambdaRequest, [[each.calls, `${count(each.calls)} calls`]]),
    ),
    charge('Lambda: other functions run', prices.lambdaArm, [[ofTasks, `${count(ofTasks)} GB-s`]]),
    charge("Lambda: AWS's and CDK's functions run", prices.lambdaX86, [
      [ofAws, `${count(ofAws)} GB-s`],
      [
        rotations * ROTATION_SECONDS * 0.125,
        `${count(rotations)} calls of rotations x ${ROTATION_SECONDS} s x 0.125 GB`,
      ],
    ]),
    charge('Lambda: other functions are called', prices.lambdaRequest, [[calls, `${count(calls)} calls`]]),
  ]
}

/** Calls of all functions, for their logs and secrets. */
export function callsInAll(estimate: Estimate): number {
  return Object.values(callsOf(estimate)).reduce((sum, { calls }) => sum + calls, 0)
}

export const hasFunctions = (template: Template): boolean => countOf(template, 'AWS::Lambda::Function') > 0
