/** How a stage is used: what its people and its producers do. */
import { sources } from '../../handlers/sources/registry.ts'
import { type Assumption, assumed } from './assumption.ts'
import { countMetrics } from './metrics.ts'

export const USE = {
  refusedShare: assumed(
    0.001,
    'of files',
    'One in a thousand breaks its contract. Each is copied, and its batch has one state more.',
  ),
  redeliveredShare: assumed(
    0.001,
    'of files',
    'Come again after a failure, and are then loaded alone, with an execution of their own.',
  ),
  retriedShare: assumed(
    0.01,
    'of Tasks',
    'A retry is paid for as a transition. Lambda and CodeBuild refuse far less than one call in a hundred.',
  ),
  drainedFiles: assumed(
    100,
    'files a month',
    'An outage of the database that outlasts the retries, once in a while: each is a dead letter, loaded by a drain.',
  ),
  replayedFiles: assumed(
    1_000,
    'files a month',
    'Refused files that are loaded again when their contract has changed.',
  ),
  questions: assumed(1_000, 'calls a month', 'Of the command line: 50 a working day.'),
  deployments: assumed(8, 'a month', 'Two a week.'),
  notices: assumed(60, 'a month', 'Alarms, failed executions, drains: two a day is already too many to be read.'),
  stageAgeMonths: assumed(
    3,
    'months',
    'By then what is dropped by age comes and goes alike. Ledger and marts are never dropped: the bill says by how much it grows on.',
  ),
  rawRetentionDays: assumed(
    90,
    'days',
    'How long documents stay in the database, unless the template says so: RAW_RETENTION_DAYS of the function sweep.',
  ),
  customMetrics: assumed(
    countMetrics(sources.length),
    'metrics',
    `What functions print: some for each of ${sources.length} sources, some for each function, seldom ones by their share of the hours.`,
  ),
} satisfies Record<string, Assumption>
