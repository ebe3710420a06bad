/** A drain of dead letters: the queue into the ledger, pages of the ledger to load, each file alone. */
import { claimNextPage } from '../../handlers/claim-dead-letters/claim-dead-letters.ts'
import { collectDeadLetters } from '../../handlers/collect-dead-letters/collect-dead-letters.ts'
import { startInvocation } from '../../handlers/ingest/ingest-slice.ts'
import { loadFile } from '../../handlers/load-file/load-file.ts'
import { assertAttempted } from './assertions.ts'
import { QUEUE_URL } from './cloud.ts'
import type { LambdaFunction } from './function.ts'
import { contextOf } from './invocation.ts'
import { versionOf } from './observe.ts'
import { runTask, type Task } from './task.ts'

const EXECUTION_ARN = 'arn:aws:states:us-east-1:000000000000:execution:pipeline:drain'

/**
 * Drains until nothing can be claimed, or a Task fails.
 *
 * @param task every second file is loaded without its faults, or one drain would end with the first
 * @param keeper collects and claims
 * @param loader loads
 */
export async function drain(task: Task, keeper: LambdaFunction, loader: LambdaFunction): Promise<void> {
  const { world, name, faults } = task
  for (const { versions } of world.deadLetters.messages) for (const version of versions) world.model.collect(version)
  await runTask(task, keeper, (dependencies, life) =>
    collectDeadLetters(
      { ...dependencies, queueUrl: QUEUE_URL },
      () => life.remainingMs,
      startInvocation(contextOf(life, name)).end,
    ),
  )
  for (;;) {
    const claim = { drain: name, executionArn: EXECUTION_ARN, round: 0, requireNoneRemain: false }
    const page = await runTask(task, keeper, ({ withDatabase }, life) =>
      claimNextPage(withDatabase, claim, startInvocation(contextOf(life, name)).end),
    )
    if (!('answer' in page) || page.answer.fileIds.length === 0) return
    for (const [index, fileId] of page.answer.fileIds.entries()) {
      await load({ ...task, faults: index % 2 === 0 ? faults : [] }, loader, fileId)
    }
  }
}

async function load(task: Task, loader: LambdaFunction, fileId: number): Promise<void> {
  const { laboratory, world } = task
  const { model } = world
  const versionId = await versionOf(laboratory.observer, fileId)
  const requestId = world.openRequest([])
  const outcome = await runTask({ ...task, name: `${requestId} loads ${versionId}` }, loader, (dependencies, life) =>
    loadFile(dependencies, fileId, startInvocation(contextOf(life, requestId))),
  )
  model.deliver(model.version(versionId).object, 'answer' in outcome)
  if (world.isSettling && 'answer' in outcome) await assertAttempted(laboratory.observer, world.bucket.name, versionId)
  if ('failed' in outcome) loader.noteUnended([versionId])
  if ('died' in outcome) for (const lost of [versionId, ...outcome.died]) model.loseAttempt(lost)
}
