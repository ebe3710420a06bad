/** What a soak has seen, and how it is told. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { count, isNotNull, sql } from 'drizzle-orm'
import { batches, files } from '../../../db/schema.ts'
import type { Cloud } from '../../../infra/local/cloud.ts'
import type { Deployment } from '../../../infra/local/demo/deployment.ts'
import { formatCount } from '../../../infra/local/demo/progress.ts'
import { formatSeconds, renderTable } from '../../../workflows/cli/format.ts'
import { CloudWatch } from '../../local-cloud/cloudwatch.ts'
import type { Growth } from './memory.ts'
import { listExecutions, type Mended, triggerOf } from './settle.ts'

export interface SoakReport {
  readonly seed: number
  readonly seconds: number
  readonly files: number
  readonly badFiles: number
  readonly overwrites: number
  /** Events that were sent a second time. */
  readonly duplicates: number
  readonly kills: number
  readonly restartSeconds: readonly number[]
  readonly counted: Awaited<ReturnType<typeof countWork>>
  readonly mended: Mended
  /** Empty when all is well. */
  readonly violations: readonly string[]
  readonly memory: readonly Growth[]
}

/** What the ledger, the metrics and the log of the cloud tell of the way there. */
export async function countWork({ endpoint, directory }: Cloud, deployment: Deployment) {
  const { database } = deployment
  const [inBatches] = await database
    .select({ batches: count(), most: sql<number>`max(${batches.files})` })
    .from(batches)
  const redeliveries = await new CloudWatch(endpoint).measured({
    Namespace: 'Sluice',
    MetricName: 'Redeliveries',
    Dimensions: { service: 'sluice-local-ingest' },
  })
  const log = readFileSync(join(directory, 'emulator.log'), 'utf8')
  return {
    ...{ batches: inBatches?.batches ?? 0, largestBatch: inBatches?.most ?? 0 },
    /** Messages that an invocation received not for the first time. */
    redeliveries: redeliveries?.Sum ?? 0,
    /** Invocations that a kill ended: an idle worker has none. */
    killedInvocations: log.match(/failed processing SQS batch .*errorType=Runtime\.ExitError/g)?.length ?? 0,
    deadLettersDrained: await database.$count(files, isNotNull(files.claimedBy)),
    drains: await countDrains(deployment),
  }
}

/** Who started drains: the alarm when the first dead letter comes, the sweep when one is left. */
async function countDrains(deployment: Deployment): Promise<{ byAlarm: number; bySweep: number }> {
  const others = (await listExecutions(deployment)).filter(({ name = '' }) => !name.startsWith('batch-'))
  const isSweeps = ({ name = '' }) => name.startsWith('dead-letters-')
  const triggers = await Promise.all(
    others.filter((other) => !isSweeps(other)).map(({ executionArn }) => triggerOf(deployment, executionArn)),
  )
  return {
    byAlarm: triggers.filter((trigger) => trigger === 'dead-letters').length,
    bySweep: others.filter(isSweeps).length,
  }
}

export function renderSoak(report: SoakReport): string {
  const { counted, mended, memory, violations } = report
  const redriven = [...mended.redriven].map(([trigger, executions]) => `${executions} ${trigger}`).join(', ')
  const figures: readonly (readonly [string, string, string?])[] = [
    ['files', formatCount(report.files), `${report.badFiles} of them bad, ${report.overwrites} over another`],
    ['duplicates', formatCount(report.duplicates), 'events that came twice'],
    ['kills', formatCount(report.kills), `${counted.killedInvocations} in the midst of a batch`],
    [
      'restarts',
      String(report.restartSeconds.length),
      `PostgreSQL away for ${report.restartSeconds.map(formatSeconds).join(', ') || 'no time'}`,
    ],
    ['batches', formatCount(counted.batches), `the largest of ${counted.largestBatch} files`],
    ['redeliveries', formatCount(counted.redeliveries)],
    [
      'dead letters',
      formatCount(counted.deadLettersDrained),
      `files that drains took care of: ${counted.drains.byAlarm} started by the alarm, ${counted.drains.bySweep} by the sweep`,
    ],
    ['redriven', redriven || '0', 'executions that had failed, and succeeded then'],
    [
      'swept',
      String(mended.started + mended.copied),
      `${mended.started} executions started, ${mended.copied} copies made`,
    ],
    ['violations', formatCount(violations.length)],
    ['time', formatSeconds(report.seconds)],
  ]
  const table = renderTable<Growth>(
    [
      { head: 'MEMORY OF', cell: ({ kind }) => kind },
      { head: 'SAMPLES', cell: ({ samples }) => samples },
      { head: '2ND QUARTER', cell: ({ secondQuarter }) => megabytes(secondQuarter), align: 'right' },
      { head: 'LAST QUARTER', cell: ({ lastQuarter }) => megabytes(lastQuarter), align: 'right' },
      { head: 'MOST', cell: ({ most }) => megabytes(most), align: 'right' },
      { head: '', cell: ({ verdict }) => verdict },
    ],
    memory,
  )
  return [
    ...figures.map(([what, value, told = '']) => `${what.padEnd(13)}${value.padStart(8)}  ${told}`.trimEnd()),
    '',
    table,
    ...violations.map((violation) => `\nVIOLATION: ${violation}`),
  ].join('\n')
}

const megabytes = (size: number): string => (Number.isNaN(size) ? '-' : `${size.toFixed(0)} MB`)
