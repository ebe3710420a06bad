/** What sets files going again, by the functions of the Tasks that do it: quarantine, drains, sweeps, replays. */
import { startInvocation } from '../../handlers/ingest/ingest-slice.ts'
import { quarantineFiles } from '../../handlers/quarantine-files/quarantine-files.ts'
import { replayNextPage } from '../../handlers/replay-files/replay-files.ts'
import { sweep } from '../../handlers/sweep/sweep.ts'
import { QUEUE_URL } from './cloud.ts'
import { drain } from './drain.ts'
import type { Fault } from './faults.ts'
import { contextOf } from './invocation.ts'
import type { Laboratory } from './laboratory.ts'
import type { Upkeep } from './program.ts'
import { runTask } from './task.ts'
import type { World } from './world.ts'

/**
 * Drains, sweeps or replays once.
 *
 * @param number which of those that run at once it is: each has functions of its own
 */
export async function runUpkeep(laboratory: Laboratory, world: World, upkeep: Upkeep, number: number): Promise<void> {
  const { upkeep: keepers, load: loaders } = laboratory.functions
  const keeper = keepers[number % keepers.length]
  const loader = loaders[number % loaders.length]
  if (keeper === undefined || loader === undefined) throw new Error('there are no functions')
  const task = { laboratory, world, name: world.openUpkeep(upkeep.do), faults: upkeep.faults }
  switch (upkeep.do) {
    case 'drain':
      return await drain(task, keeper, loader)
    case 'sweep': {
      const swept = await runTask(task, keeper, (dependencies, life) =>
        sweep(
          // No day of the model is ever so old.
          { ...dependencies, deadLetterQueueUrl: QUEUE_URL, retentionDays: 10_000 },
          new Date(),
          startInvocation(contextOf(life, task.name)).end,
        ),
      )
      return await quarantine(laboratory, world, 'answer' in swept ? swept.answer.poisonFileIds : [])
    }
    case 'replay refused':
    case 'replay loaded': {
      world.hasReplays = true
      const request = {
        execution: task.name,
        requestedBy: 'arn:aws:iam::000000000000:user/model',
        why: 'the model asks for it',
        selection: upkeep.do === 'replay loaded' ? { status: 'loaded' as const } : {},
      }
      await runTask({ ...task, faults: upkeep.faults.map(endedByLambda) }, keeper, (dependencies) =>
        replayNextPage({ ...dependencies, queueUrl: QUEUE_URL }, request),
      )
    }
  }
}

/** A replay has no end of its own: when the database hangs, Lambda ends it. */
const endedByLambda = (fault: Fault): Fault => (fault.kind === 'hangs' ? { ...fault, kind: 'dies before it' } : fault)

/** What the Task *QuarantineFiles* does. */
export async function quarantine(laboratory: Laboratory, world: World, fileIds: readonly number[]): Promise<void> {
  if (fileIds.length === 0) return
  const name = `quarantine of the files ${fileIds.join(', ')}`
  await runTask({ laboratory, world, name, faults: [] }, laboratory.functions.quarantine, (dependencies) =>
    quarantineFiles(dependencies, fileIds),
  )
  world.model.quarantine(fileIds, !world.hasReplays)
}
