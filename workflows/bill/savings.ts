/** What would make a stage cheaper: changes of its template or its load, each estimated anew, and what each costs in turn. */
import { type Bill, estimateBill } from './bill.ts'
import {
  changed,
  slowTransform,
  withEndpoints,
  withLifecycle,
  withNatInstance,
  without,
  withoutWayOut,
} from './change-template.ts'
import { assumedOf } from './estimate.ts'
import type { Load } from './load.ts'
import type { Template } from './template.ts'

export interface Saving {
  readonly change: string
  /** A month. */
  readonly dollars: number
  readonly inTurn: string
}

interface Change extends Omit<Saving, 'dollars'> {
  /** The same with the change; itself where there is nothing to change. */
  readonly make: (template: Template, load: Load) => readonly [Template, Load]
}

/** Documents of a bundle. */
const BUNDLED = 20

const changes: readonly Change[] = [
  {
    change: 'no reader of Aurora',
    inTurn:
      "When the writer fails, it is back in minutes and not in half a minute. Analysts' queries slow the loading.",
    make: (template, load) => [without(template, 'AWS::RDS::DBInstance', (_, place) => place > 0), load],
  },
  {
    change: 'a network that is there, with its way out, instead of a new one',
    inTurn: 'Only where there is one: its owner pays for it, and for what goes through.',
    make: (template, load) => [withoutWayOut(template), load],
  },
  {
    change: 'a NAT instance instead of the NAT gateway',
    inTurn: 'When it fails, nothing is loaded until somebody starts it again. AWS does not.',
    make: (template, load) => [withNatInstance(template), load],
  },
  {
    change: `producers put ${BUNDLED} documents in a file, as lines`,
    inTurn: 'A document waits until its file is full, and one that is refused takes its file with it.',
    make: (template, load) => [
      template,
      {
        ...load,
        filesPerDay: load.filesPerDay / BUNDLED,
        kilobytes: load.kilobytes * BUNDLED,
        filesPerBatch: Math.max(1, load.filesPerBatch / BUNDLED),
      },
    ],
  },
  {
    change: 'marts every 3 hours instead of every hour',
    inTurn: 'Marts are up to 3 hours old; a broken model is seen as much later.',
    make: (template, load) => [slowTransform(template, 3), load],
  },
  {
    change: 'documents stay in the database for 30 days',
    inTurn: 'A mart that is built anew has only 30 days of documents to build from.',
    make: (template, load) => {
      const { rawRetentionDays } = assumedOf(template, load)
      return [template, { ...load, assumed: { ...load.assumed, rawRetentionDays: Math.min(30, rawRetentionDays) } }]
    },
  },
  {
    change: 'files stay in S3 for 30 days, and hidden for 25',
    inTurn: 'What was put longer ago cannot be loaded again from S3. 24 days are the least: a message may be as old.',
    make: (template, load) => [withLifecycle(template, 30, 25), load],
  },
  {
    change: 'backups of 7 days',
    inTurn: 'A mistake that is seen after more than a week cannot be undone by restoring.',
    make: (template, load) => [
      changed(template, 'AWS::RDS::DBCluster', (properties) => ({
        ...properties,
        BackupRetentionPeriod: Math.min(7, Number(properties.BackupRetentionPeriod ?? 1)),
      })),
      load,
    ],
  },
  {
    change: 'endpoints in one zone instead of the way out',
    inTurn: 'Builds cannot download Python packages, and everything that calls AWS stops with that zone.',
    make: (template, load) => [withEndpoints(template), load],
  },
]

/** The changes that save most, the largest first. What saves less than half a dollar is not worth a thought. */
export function findSavings(
  template: Template,
  load: Load,
  bill: Bill = estimateBill(template, load),
  most = 3,
): Saving[] {
  return changes
    .map(({ change, inTurn, make }) => ({
      change,
      inTurn,
      dollars: bill.dollarsPerMonth - estimateBill(...make(template, load)).dollarsPerMonth,
    }))
    .filter(({ dollars }) => dollars >= 0.5)
    .toSorted((a, b) => b.dollars - a.dollars)
    .slice(0, most)
}
