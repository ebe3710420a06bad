/** One page to look at, from top to bottom as a file goes: put, waiting, loaded or refused, followed up, in the marts. */
import { Duration } from 'aws-cdk-lib'
import {
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type GraphWidgetProps,
  type IAlarm,
  PeriodOverride,
  Stats,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch'
import type { Project } from 'aws-cdk-lib/aws-codebuild'
import type { Construct } from 'constructs'
import { sources } from '../handlers/sources/registry.ts'
import type { Aurora } from './aurora.ts'
import type { Landing } from './landing.ts'
import { measureOf, natBytesIn } from './measures.ts'
import type { Network } from './network.ts'
import type { Orchestration } from './orchestration.ts'
import type { SluiceFunction } from './sluice-function.ts'

export interface FlowDashboardProps {
  readonly stage: string
  readonly runbookUrl: string
  readonly alarms: readonly IAlarm[]
  readonly landing: Landing
  readonly ingest: SluiceFunction
  readonly orchestration: Orchestration
  readonly transformProject: Project
  readonly aurora: Aurora | undefined
  readonly network: Network | undefined
}

/** Of 24 columns. */
const HALF = 12

const every5Minutes = Duration.minutes(5)
const sum = { statistic: Stats.SUM, period: every5Minutes }
const average = { statistic: Stats.AVERAGE, period: every5Minutes }
const most = { statistic: Stats.MAXIMUM, period: every5Minutes }

/** A graph of half the width, from zero up: a line that looks high should be high. */
const graph = (title: string, left: GraphWidgetProps['left'] = [], right?: GraphWidgetProps['right']): GraphWidget =>
  new GraphWidget({ title, width: HALF, left, leftYAxis: { min: 0 }, ...(right && { right, rightYAxis: { min: 0 } }) })

export class FlowDashboard extends Dashboard {
  constructor(scope: Construct, id: string, props: FlowDashboardProps) {
    super(scope, id, {
      dashboardName: `sluice-${props.stage}`,
      defaultInterval: Duration.hours(12),
      // As each graph says, whatever span is looked at: an average of a week of batch sizes says nothing.
      periodOverride: PeriodOverride.INHERIT,
    })
    this.addWidgets(new AlarmStatusWidget({ title: 'Alarms', width: 24, height: 4, alarms: [...props.alarms] }))
    const rows: [says: string, graphs: GraphWidget[]][] = [
      ['1. Files are put, and wait in the queue', landing(props)],
      ['2. Batches are loaded', ingestion(props)],
      ['3. What became of files', outcomes(props)],
      ['4. Executions follow up; dead letters and refused files', followUp(props)],
      ['5. dbt builds the marts', transform(props)],
      ['6. The database, and the way out', below(props)],
    ]
    for (const [says, graphs] of rows.filter(([, some]) => some.length > 0)) {
      this.addWidgets(
        new TextWidget({ markdown: `### ${says} ([runbook](${props.runbookUrl}))`, width: 24, height: 1 }),
      )
      this.addWidgets(...graphs)
    }
  }
}

const landing = ({ landing: { queue, replayQueue, deadLetterQueue } }: FlowDashboardProps): GraphWidget[] => [
  graph('Messages sent to the queues', [
    queue.metricNumberOfMessagesSent({ ...sum, label: 'put' }),
    replayQueue.metricNumberOfMessagesSent({ ...sum, label: 'replayed' }),
  ]),
  graph(
    'Messages that wait, and the age of the oldest (s)',
    [
      queue.metricApproximateNumberOfMessagesVisible({ ...most, label: 'waiting' }),
      queue.metricApproximateNumberOfMessagesNotVisible({ ...most, label: 'in batches' }),
      deadLetterQueue.metricApproximateNumberOfMessagesVisible({ ...most, label: 'dead letters' }),
    ],
    [queue.metricApproximateAgeOfOldestMessage({ ...most, label: 'age of the oldest' })],
  ),
]

const ingestion = ({ ingest }: FlowDashboardProps): GraphWidget[] => [
  graph('Seconds from put to commit', [
    measureOf(ingest, 'PutToCommit', { ...average, statistic: Stats.p(50), label: 'p50' }),
    measureOf(ingest, 'PutToCommit', { ...average, statistic: Stats.p(99), label: 'p99' }),
  ]),
  graph(
    'Messages in a batch, and messages that came back',
    [
      measureOf(ingest, 'BatchSize', { ...average, label: 'average batch' }),
      measureOf(ingest, 'BatchSize', { ...most, label: 'largest batch' }),
    ],
    [measureOf(ingest, 'Redeliveries', { ...sum, label: 'came back' })],
  ),
  graph('Milliseconds of an invocation', [
    ingest.metricDuration({ ...average, label: 'average' }),
    ingest.metricDuration({ ...most, label: 'longest' }),
  ]),
  graph('Invocations, errors, throttles', [
    ingest.metricInvocations({ ...sum, label: 'invocations' }),
    measureOf(ingest, 'Slices', { ...sum, label: 'transactions' }),
    ingest.metricErrors({ ...sum, label: 'errors' }),
    ingest.metricThrottles({ ...sum, label: 'throttles' }),
  ]),
]

const outcomes = ({ ingest }: FlowDashboardProps): GraphWidget[] => [
  graph(
    'Files loaded',
    sources.map(({ name }) => measureOf(ingest, 'FilesLoaded', { ...sum, source: name, label: name })),
  ),
  graph(
    'Share of files that were refused',
    sources.map(({ name }) => measureOf(ingest, 'FilesRefused', { ...average, source: name, label: name })),
  ),
]

const followUp = ({ orchestration }: FlowDashboardProps): GraphWidget[] => [
  graph('Executions', [
    orchestration.stateMachine.metricStarted({ ...sum, label: 'started' }),
    orchestration.stateMachine.metricSucceeded({ ...sum, label: 'succeeded' }),
    orchestration.stateMachine.metricFailed({ ...sum, label: 'failed' }),
    orchestration.stateMachine.metricTimedOut({ ...sum, label: 'timed out' }),
  ]),
  graph('Files quarantined, dead letters collected, files found missing', [
    measureOf(orchestration.quarantineFiles, 'FilesQuarantined', { ...sum, label: 'quarantined' }),
    measureOf(orchestration.collectDeadLetters, 'DeadLettersCollected', { ...sum, label: 'dead letters' }),
    measureOf(orchestration.reconcileFiles, 'FilesMissing', { ...sum, label: 'missing' }),
  ]),
]

const transform = ({ transformProject, orchestration }: FlowDashboardProps): GraphWidget[] => [
  graph('Builds of the marts', [
    transformProject.metricSucceededBuilds({ ...sum, label: 'succeeded' }),
    transformProject.metricFailedBuilds({ ...sum, label: 'failed' }),
  ]),
  graph(
    'Seconds of a build, and days ahead with a partition',
    [transformProject.metricDuration({ ...most, label: 'build' })],
    [measureOf(orchestration.sweep, 'PartitionDaysAhead', { ...most, label: 'days ahead' })],
  ),
]

const below = ({ aurora, network }: FlowDashboardProps): GraphWidget[] => [
  ...(aurora === undefined
    ? []
    : [
        graph(
          'Writer: busy (%), connections',
          [aurora.writerMetric('CPUUtilization', { ...average, label: 'CPU' })],
          [aurora.writerMetric('DatabaseConnections', { ...most, label: 'connections' })],
        ),
        graph('Bytes that the database holds', [aurora.volumeBytes({ ...most, period: Duration.hours(1) })]),
      ]),
  ...(network?.natGatewayId === undefined
    ? []
    : [graph('Bytes in by the NAT gateway', [natBytesIn(network.natGatewayId, { ...sum, label: 'in' })])]),
]
