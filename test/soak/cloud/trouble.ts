/** What is done to the cloud while files flow: workers are killed, the database is taken away. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cloud } from '../../../infra/local/cloud.ts'
import { signalProcess } from '../../../infra/local/processes.ts'
import type { Random } from '../../../workflows/capacity/random.ts'
import { listCloudProcesses } from './processes.ts'

/** Seconds between two kills on average. Fewer and nothing else happens any more; more and a run of minutes has none. */
const SECONDS_BETWEEN_KILLS = 10

/** Kills one worker of the ingest function at random moments until it is stopped. Returns how many it killed. */
export async function killWorkers({ directory }: Cloud, random: Random, stop: AbortSignal): Promise<number> {
  let kills = 0
  while (true) {
    // The moments of a Poisson process have no memory: any phase of a batch is as likely.
    const pause = -Math.log(1 - random()) * SECONDS_BETWEEN_KILLS * 1_000
    if (!(await sleep(pause, true, { signal: stop }).catch(() => false))) return kills
    const workers = listCloudProcesses(directory).filter(({ kind }) => kind === 'ingest')
    const victim = workers[Math.floor(random() * workers.length)]
    if (victim === undefined) continue
    signalProcess(victim.pid, 'SIGKILL')
    kills++
  }
}

export interface Outage {
  readonly afterSeconds: number
  readonly seconds: number
}

/**
 * Spreads outages over a run, each at a random moment of its own stretch.
 *
 * @param seconds that files are put
 */
export function planOutages(lengths: readonly number[], seconds: number, random: Random): Outage[] {
  return lengths.map((length, position) => {
    const stretch = seconds / lengths.length
    const room = Math.max(0, stretch - length)
    return { afterSeconds: position * stretch + (0.2 + 0.6 * random()) * room, seconds: length }
  })
}

/** Restarts the database as planned, counted from now. */
export async function takeDatabaseAway(
  cloud: Cloud,
  outages: readonly Outage[],
  say: (line: string) => void,
): Promise<void> {
  const start = performance.now()
  for (const { afterSeconds, seconds } of outages) {
    await sleep(Math.max(0, start + afterSeconds * 1_000 - performance.now()))
    say(`PostgreSQL goes for ${seconds} s`)
    await cloud.restartDatabase(seconds * 1_000)
    say('PostgreSQL is back')
  }
}
