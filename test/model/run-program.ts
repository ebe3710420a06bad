/** Runs a program against the real code and the model side by side, and compares the two after every round. */
import { transformLease } from '../../db/schema.ts'
import { assertEnd } from './assert-end.ts'
import { assertLedger } from './assertions.ts'
import type { Laboratory } from './laboratory.ts'
import type { Program, Round } from './program.ts'
import { runRound } from './round.ts'
import { World } from './world.ts'

/** Delivers a hundred messages, as SQS does when nothing is wrong. */
const QUIET_ROUND: Round = {
  do: 'round',
  batches: [{ from: 0, take: 100, isBackward: false, time: null, fate: 'answered' }],
  isOverlapping: false,
  deletions: [],
  quarantine: 'none',
}

/** Programs that ran in this process. Each has a bucket of its own, by which everything of it is found. */
let programsRun = 0

/** @throws an error with the trace of what happened, at the first difference between the ledger and the model */
export async function runProgram(laboratory: Laboratory, { steps }: Program): Promise<void> {
  const { cloud, observer } = laboratory
  const world = new World(cloud.createBucket(`program-${++programsRun}`))
  const functions = laboratory.startFunctions()
  const firstExecution = cloud.executions.length
  let quarantined = firstExecution
  // As far as this program can tell, no transform ever ran.
  await observer.update(transformLease).set({ heldBy: null, heldUntil: null })

  const runAndCompare = async (round: Round): Promise<void> => {
    const started = cloud.executions.length
    const executions = {
      none: [],
      'new executions': cloud.executions.slice(quarantined),
      'all executions again': cloud.executions.slice(firstExecution),
    }[round.quarantine]
    if (round.quarantine !== 'none') quarantined = started
    await runRound(laboratory, functions, world, round, executions)
    await assertLedger(observer, world)
  }

  try {
    for (const step of steps) {
      if (step.do === 'round') await runAndCompare(step)
      else world.do(step)
    }
    while (world.queue.messages.length > 0) await runAndCompare(QUIET_ROUND)
    await assertEnd(observer, world, cloud.executions.slice(firstExecution))
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new Error(`${message}\nWhat happened:\n  ${world.trace.join('\n  ')}`, { cause: error })
  }
}
