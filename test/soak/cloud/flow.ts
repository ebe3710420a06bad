/** The part of a soak in which everything happens at once. */
import { setInterval } from 'node:timers/promises'
import type { Cloud } from '../../../infra/local/cloud.ts'
import type { Deployment } from '../../../infra/local/demo/deployment.ts'
import { seededRandom } from '../../../workflows/capacity/random.ts'
import type { SoakFile } from './inputs.ts'
import { compareQuarters, sampleMemory } from './memory.ts'
import { listenToEvents, type PutFile, putAtPace, sendEventsAgain } from './put.ts'
import { countLeft } from './settle.ts'
import { killWorkers, type Outage, takeDatabaseAway } from './trouble.ts'

/** Looks at memory are this far apart. Fewer and a quarter of a short run has no median; more and looking is work of its own. */
const SAMPLE_INTERVAL_MS = 2_000

/** Every so many looks are told: 10 s apart. */
export const LOOKS_TOLD = 5

/**
 * Megabytes that the emulator has for each file: it keeps every object, log line and execution in memory, as AWS does on
 * disks. Measured with 20,000 files. Less fails every long run, more hides a leak.
 */
const EMULATOR_MEGABYTES_PER_FILE = 0.008

interface Plan {
  readonly files: readonly SoakFile[]
  readonly filesPerSecond: number
  readonly outages: readonly Outage[]
  readonly seed: number
}

/** While files are put: events come twice, workers are killed, the database goes and comes, and memory is looked at. */
export async function flow(
  cloud: Cloud,
  deployment: Deployment,
  { files, filesPerSecond, outages, seed }: Plan,
  say: (line: string) => void,
) {
  const end = new AbortController()
  const samples: ReturnType<typeof sampleMemory>[] = []
  const puts: PutFile[] = []
  const events = await listenToEvents(deployment)
  // Each has its own chance: how long one takes must not change what another does.
  const [forKills, forEvents] = [seededRandom(seed + 1), seededRandom(seed + 2)]
  let duplicates = 0
  const watch = async () => {
    const tell = everyNth(LOOKS_TOLD, say)
    try {
      for await (const _ of setInterval(SAMPLE_INTERVAL_MS, undefined, { signal: end.signal })) {
        samples.push(sampleMemory(cloud.directory))
        duplicates += await sendEventsAgain(deployment, events, forEvents)
        const { queued, deadLetters } = await countLeft(deployment)
        tell(`${puts.length} of ${files.length} put, ${queued} messages queued, ${deadLetters} dead letters`)
      }
    } catch (error) {
      if (!end.signal.aborted) throw error
    }
    duplicates += await sendEventsAgain(deployment, events, forEvents)
  }
  const flowing = Promise.all([
    putAtPace(deployment, files, filesPerSecond, (file) => puts.push(file)),
    takeDatabaseAway(cloud, outages, say),
  ])
  const [, , kills] = await Promise.all([
    flowing.finally(() => end.abort()),
    watch(),
    killWorkers(cloud, forKills, end.signal),
  ])
  // From the middle of the second quarter to that of the last it is half of them.
  const kept = { emulator: (files.length / 2) * EMULATOR_MEGABYTES_PER_FILE }
  return { puts, duplicates, kills, memory: compareQuarters(samples, kept) }
}

/** Passes on every so many-th call. */
export function everyNth(number: number, say: (line: string) => void): (line: string) => void {
  let calls = 0
  return (line) => {
    if (++calls % number === 0) say(line)
  }
}
