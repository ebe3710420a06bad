/** Runs a program against the real code and the model side by side, and compares the two after every round. */
import { SWEEP_PAGE } from '../../handlers/limits.ts'
import { assertEnd } from './assert-end.ts'
import { assertLedger } from './assertions.ts'
import type { Laboratory } from './laboratory.ts'
import { emptyDatabase, setClock } from './model-database.ts'
import type { Program, Round, Upkeep } from './program.ts'
import { openQueues } from './queues.ts'
import { runRound } from './round.ts'
import { World } from './world.ts'

/** Delivers a hundred messages, as SQS does when nothing is wrong. */
const QUIET_ROUND: Round = {
  do: 'round',
  batches: [{ from: 0, take: 100, isBackward: false, time: null, fate: 'answered', faults: [] }],
  isOverlapping: false,
  deletions: [],
  quarantine: 'none',
  upkeep: [],
}

const quietly = (...upkeep: Upkeep['do'][]): Round => ({
  ...QUIET_ROUND,
  batches: [],
  upkeep: upkeep.map((what) => ({ do: what, faults: [] })),
})

/** Programs that ran in this process. Each has a bucket of its own, by which everything of it is found. */
let programsRun = 0

/** Milliseconds in which any program is done: the longest take seconds. What hangs would tell nobody where. */
const PROGRAM_LIMIT_MS = 60_000

/** @throws an error with the trace of what happened, at the first difference between the ledger and the model */
export async function runProgram(laboratory: Laboratory, { steps }: Program): Promise<void> {
  const { cloud, observer, tally } = laboratory
  const world = new World(cloud.createBucket(`program-${++programsRun}`))
  cloud.queues = openQueues(observer, world)
  const firstExecution = cloud.executions.length
  let quarantined = firstExecution
  await emptyDatabase(observer)
  let today = await setClock(observer, 0)

  let isGivenUp = false
  const runAndCompare = async (round: Round): Promise<void> => {
    if (isGivenUp) throw new Error('given up')
    const started = cloud.executions.length
    const executions = {
      none: [],
      'new executions': cloud.executions.slice(quarantined),
      'all executions again': cloud.executions.slice(firstExecution),
    }[round.quarantine]
    if (round.quarantine !== 'none') quarantined = started
    await runRound(laboratory, world, round, executions)
    await assertLedger(observer, world, today)
  }
  const letMidnightPass = async (): Promise<void> => {
    world.trace.push('midnight')
    tally.add('midnight')
    today = await setClock(observer, ++world.days)
  }
  const deliverAll = async (): Promise<void> => {
    while (world.queue.messages.length > 0) await runAndCompare(QUIET_ROUND)
  }

  /** Nothing goes wrong any more. What was forgotten is found a day later at the latest. */
  const settle = async (): Promise<void> => {
    await deliverAll()
    world.isSettling = true
    await runAndCompare(quietly('drain'))
    for (const each of Object.values(laboratory.functions).flat()) await each.catchUp()
    await letMidnightPass()
    await runAndCompare(quietly('sweep', 'drain'))
    await letMidnightPass()
    const versions = world.model.versions.size
    // A sweep takes a hundred of each kind.
    for (let swept = 0; swept <= versions; swept += SWEEP_PAGE) await runAndCompare(quietly('sweep'))
  }

  const run = async (): Promise<void> => {
    for (const step of steps) {
      if (step.do === 'round') await runAndCompare(step)
      else if (step.do === 'midnight') await letMidnightPass()
      else world.do(step)
    }
    await settle()
    await assertEnd(observer, world, cloud.executions.slice(firstExecution))
  }

  const limit = Promise.withResolvers<never>()
  const timer = setTimeout(() => limit.reject(new Error('the program does not end')), PROGRAM_LIMIT_MS)
  try {
    await Promise.race([run(), limit.promise])
  } catch (error) {
    // What it left under way is no concern of the next.
    await laboratory.endProcesses()
    const message = error instanceof Error ? error.message : String(error)
    throw new Error(`${message}\nWhat happened:\n  ${world.trace.join('\n  ')}`, { cause: error })
  } finally {
    isGivenUp = true
    clearTimeout(timer)
  }
}
