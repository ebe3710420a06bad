import { type Command, InvalidArgumentError } from 'commander'
import type { LedgerAnswer } from '../../../handlers/read-ledger/contract.ts'
import { findObject, type InBucket } from '../bucket.ts'
import { describeExecutions, type ExecutionState } from '../executions.ts'
import { askLedger } from '../ledger.ts'
import { globalsOf } from '../options.ts'
import { type QueueDepths, readQueueDepths } from '../queues.ts'
import { renderExplanation } from '../render-explanation.ts'
import { connect, type Stage } from '../stage.ts'

export interface Explanation extends LedgerAnswer<'explain'> {
  readonly stage: string
  readonly inBucket: InBucket
  readonly queues: QueueDepths
  /** By the name that the batch or the dead letter's claim has. */
  readonly executions: Readonly<Record<string, ExecutionState>>
}

export function addExplain(program: Command): void {
  program
    .command('explain')
    .description('Tell everything that happened to a key: versions, faults, batches, executions, and what to do next.')
    .argument('<key>', 'of an object, of its copy or reason under quarantine/, or s3://<bucket>/<key>', objectName)
    .addHelpText(
      'after',
      '\nExamples:\n  sluice explain input/orders/mine.json\n  sluice explain quarantine/orders/12.json' +
        '\n  sluice explain "s3://my-bucket/input/orders/two words.json" --stage prod --json',
    )
    .action(async (object: ObjectName, _options, command: Command) => {
      const { stage, json } = globalsOf(command)
      const explanation = await gatherExplanation(connect(stage), object)
      console.log(json ? JSON.stringify(explanation, null, 2) : renderExplanation(explanation))
    })
}

interface ObjectName {
  readonly bucket?: string
  readonly key: string
}

/** Reads a key, or an S3 address. */
export function objectName(text: string): ObjectName {
  if (!text.startsWith('s3://')) return { key: text }
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/s.exec(text) ?? []
  if (bucket === undefined || key === undefined) {
    throw new InvalidArgumentError('Give a key, or s3://<bucket>/<key>.')
  }
  return { bucket, key }
}

async function gatherExplanation(stage: Stage, object: ObjectName): Promise<Explanation> {
  const answer = await askLedger(stage, { question: 'explain', ...object })
  const names = answer.versions.flatMap(({ batch, claimedBy }) => [batch?.executionName, claimedBy])
  const [inBucket, queues, executions] = await Promise.all([
    findObject(stage.s3, answer.bucket, answer.key),
    readQueueDepths(stage),
    describeExecutions(stage, [...new Set(names.filter((name) => typeof name === 'string'))]),
  ])
  return { stage: stage.name, ...answer, inBucket, queues, executions: Object.fromEntries(executions) }
}
