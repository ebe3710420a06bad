/**
 * The soak on the laptop cloud: the real template and real processes, files by the thousand, workers killed, the database
 * taken away. At the end every version is accounted for, and nothing has grown.
 */
import { sql } from 'drizzle-orm'
import { transformLease } from '../../db/schema.ts'
import { startCloud } from '../../infra/local/cloud.ts'
import { connectTo, databaseParameters } from '../../infra/local/demo/deployment.ts'
import { deployStack } from '../../infra/local/deploy.ts'
import { seededRandom } from '../../workflows/capacity/random.ts'
import { everyNth, flow, LOOKS_TOLD } from './cloud/flow.ts'
import { makeSoakFiles } from './cloud/inputs.ts'
import { countWork, type SoakReport } from './cloud/report.ts'
import { mend, untilQuiet } from './cloud/settle.ts'
import { planOutages } from './cloud/trouble.ts'
import { findViolations } from './cloud/verify.ts'

/**
 * Of the stage. A message is received every 65 s (visibility timeout: 6 x 10 + 5) and at most twice, where AWS has 415 s and
 * twelve, so that files become dead letters.
 */
const CONTEXT = { batchingWindowSeconds: '5', receivesBeforeDeadLetter: '2', sweepIntervalMinutes: '2' }

/** Shorter, and a machine so busy that a function takes seconds to start does nothing but kill what it starts. */
const INGEST_TIMEOUT_SECONDS = 10

/** What two cores take with room to catch up. More and the run measures a backlog; fewer and it only takes longer. */
const FILES_PER_SECOND = 40

/** The first is over before a message comes again; the second has what was received in its first 15 s fail twice, and die. */
const OUTAGE_SECONDS = [10, 80]

export interface SoakOptions {
  readonly files: number
  readonly seed: number
  /** How long the database is away, each time. */
  readonly outageSeconds?: readonly number[]
  /** Of the function. What is redelivered comes after six times this. */
  readonly ingestTimeoutSeconds?: number
  /** Called every 10 s. */
  readonly onProgress: (line: string) => void
}

export async function soakCloud({
  files: count,
  seed,
  outageSeconds = OUTAGE_SECONDS,
  ingestTimeoutSeconds = INGEST_TIMEOUT_SECONDS,
  onProgress,
}: SoakOptions): Promise<SoakReport> {
  const startedAt = performance.now()
  const say = (line: string) =>
    onProgress(`${((performance.now() - startedAt) / 1_000).toFixed(0).padStart(5)} s  ${line}`)
  const cloud = await startCloud({ name: 'soak', waitScale: 0.02, cloudwatchMinuteSeconds: 1 })
  try {
    say('deploying')
    const context = { ...CONTEXT, ingestTimeoutSeconds: String(ingestTimeoutSeconds) }
    const outputs = await deployStack(cloud, { context, parameters: databaseParameters(cloud) })
    const deployment = connectTo(cloud, outputs)
    // dbt would take the cores from what is looked at.
    await deployment.database.update(transformLease).set({ heldBy: 'the soak', heldUntil: sql`'infinity'` })
    const random = seededRandom(seed)
    const files = makeSoakFiles(count, random)
    const outages = planOutages(outageSeconds, count / FILES_PER_SECOND, random)

    const plan = { files, filesPerSecond: FILES_PER_SECOND, outages, seed }
    const flown = await flow(cloud, deployment, plan, say)
    say('all is put')
    const onLook = everyNth(LOOKS_TOLD, say)
    await untilQuiet(deployment, onLook)
    const mended = await mend(deployment, onLook)
    const unrest = await untilQuiet(deployment, onLook)
    say('looking at every version')
    const violations = await findViolations(deployment, flown.puts)
    const counted = await countWork(cloud, deployment)
    await deployment.database.$client.end()
    return {
      ...{ seed, seconds: (performance.now() - startedAt) / 1_000, files: count },
      badFiles: files.filter(({ fate }) => fate.state === 'quarantined').length,
      overwrites: files.filter(({ overwrites }) => overwrites !== undefined).length,
      ...{ duplicates: flown.duplicates, kills: flown.kills, restartSeconds: outageSeconds },
      ...{ counted, mended, memory: flown.memory },
      violations: [
        ...violations,
        ...(unrest === undefined ? [] : [unrest]),
        ...(counted.deadLettersDrained > 0 && counted.drains.byAlarm === 0 ? ['the alarm has started no drain'] : []),
        ...flown.memory.filter(({ verdict }) => verdict === 'grows').map(({ kind }) => `the memory of ${kind} grows`),
      ],
    }
  } finally {
    await cloud.stop()
  }
}
