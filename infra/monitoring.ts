/** What is watched: an alarm for each thing that people should hear of, in order of the data flow. */
import { Duration } from 'aws-cdk-lib'
import { ComparisonOperator, type IAlarm, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import type { Project } from 'aws-cdk-lib/aws-codebuild'
import { Construct } from 'constructs'
import { PUT_TO_COMMIT_P99_MAX_SECONDS } from '../handlers/limits.ts'
import { sources } from '../handlers/sources/registry.ts'
import type { Aurora } from './aurora.ts'
import { FlowDashboard } from './flow-dashboard.ts'
import type { Landing } from './landing.ts'
import { measureOf, natBytesIn } from './measures.ts'
import type { Network } from './network.ts'
import type { Notices } from './notices.ts'
import type { Orchestration } from './orchestration.ts'
import { RunbookAlarm, type RunbookAlarmProps } from './runbook-alarm.ts'
import type { SluiceFunction } from './sluice-function.ts'

export interface MonitoringProps {
  readonly stage: string
  readonly runbookUrl: string
  readonly notices: Notices
  readonly landing: Landing
  readonly ingest: SluiceFunction
  readonly orchestration: Orchestration
  readonly transformProject: Project
  readonly transformInterval: Duration
  /** Made with what it starts. */
  readonly deadLettersAlarm: IAlarm
  readonly aurora: Aurora | undefined
  readonly network: Network | undefined
}

/**
 * Age of the oldest message at which files count as held up. A message that comes back once is over 7 minutes old, twice 14: below
 * that one bad minute of S3 would wake somebody, far above it marts miss an hour.
 */
const QUEUE_AGE_MAX = Duration.minutes(15)

/** Share of a source's files that may be refused in an hour. A producer's mistake is most files or one in hundreds. */
const REFUSED_SHARE_MAX = 0.05

/** Days ahead that must have a partition, of the 30 that are kept: three weeks of failed sweeps are behind it, one is left. */
const PARTITION_DAYS_AHEAD_MIN = 7

/** Share of the writer's two vCPUs, or what it has. Beyond, batches wait for it and for each other. */
const DATABASE_CPU_PERCENT_MAX = 80

/** Connections to the writer. Functions, builds and readers may have about 60 together; the smallest instance takes 350. */
const DATABASE_CONNECTIONS_MAX = 100

/** Bytes of the database. 100,000 files of 50 KB a day are 68 GB a month; $25 a month: look what grows before it is more. */
const DATABASE_BYTES_MAX = 250 * 1024 ** 3

/** Bytes that come in by the NAT gateway in a day: builds need a tenth. Twice this is every file of a day, read at a price. */
const NAT_BYTES_PER_DAY_MAX = 2 * 1024 ** 3

const atLeast = ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
const above = ComparisonOperator.GREATER_THAN_THRESHOLD
const below = ComparisonOperator.LESS_THAN_THRESHOLD

type Watched = Omit<RunbookAlarmProps, 'stage' | 'runbookUrl' | 'treatMissingData'> & {
  /** What it means when nothing is measured. Nothing bad, if not given. */
  readonly treatMissingData?: TreatMissingData
}

export class Monitoring extends Construct {
  /** In the order in which files come by. */
  readonly #alarms: IAlarm[] = []
  readonly #props: MonitoringProps

  constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id)
    this.#props = props
    this.#watchIngestion(props)
    this.#watchSources(props)
    this.#watchExecutions(props)
    this.#watchReconciliation(props)
    this.#watchPartitions(props)
    this.#watchTransform(props)
    this.#watchDatabase(props)
    if (props.network?.natGatewayId !== undefined) this.#watchNat(props, props.network.natGatewayId)
    new FlowDashboard(this, 'Dashboard', { ...props, alarms: [props.deadLettersAlarm, ...this.#alarms] })
  }

  #watchIngestion({ notices, landing, ingest }: MonitoringProps): void {
    this.#alarm('QueueAge', {
      heading: 'queue-age',
      says: 'Files are held up: the oldest message has come back twice or was never received.',
      tells: notices.pages,
      metric: landing.queue.metricApproximateAgeOfOldestMessage({
        period: Duration.minutes(1),
        statistic: Stats.MAXIMUM,
      }),
      threshold: QUEUE_AGE_MAX.toSeconds(),
      comparisonOperator: atLeast,
      evaluationPeriods: 3,
    })
    this.#alarm('SlowFiles', {
      heading: 'slow-files',
      says: 'One in a hundred files takes longer than 2 minutes from put to commit.',
      tells: notices.topic,
      metric: measureOf(ingest, 'PutToCommit', { statistic: Stats.p(99), period: Duration.minutes(5) }),
      threshold: PUT_TO_COMMIT_P99_MAX_SECONDS,
      comparisonOperator: above,
      evaluationPeriods: 3,
    })
    this.#alarm('IngestErrors', {
      heading: 'ingest-errors',
      says: 'The function that loads files crashed, ran out of time or memory, or could not start.',
      tells: notices.topic,
      metric: ingest.metricErrors({ period: Duration.minutes(5), statistic: Stats.SUM }),
      threshold: 1,
      comparisonOperator: atLeast,
      evaluationPeriods: 1,
    })
    this.#alarm('IngestThrottles', {
      heading: 'ingest-throttles',
      says: 'Lambda refuses to run the function that loads files: its concurrency, or that of the account, is used up.',
      tells: notices.topic,
      metric: ingest.metricThrottles({ period: Duration.minutes(5), statistic: Stats.SUM }),
      threshold: 1,
      comparisonOperator: atLeast,
      evaluationPeriods: 3,
    })
  }

  #watchSources({ notices, ingest }: MonitoringProps): void {
    for (const { name, owner, expectedEveryHours } of sources) {
      // A value for each file that was judged: 1 when it was refused, 0 when not.
      const refused = (statistic: string) =>
        measureOf(ingest, 'FilesRefused', { source: name, statistic, period: Duration.hours(1) })
      this.#alarm(`Refusals-${name}`, {
        heading: 'refusals',
        of: name,
        says: `Over ${REFUSED_SHARE_MAX * 100} % of the files of ${name} are refused. Their owner is ${owner}.`,
        tells: notices.topic,
        metric: refused(Stats.AVERAGE),
        threshold: REFUSED_SHARE_MAX,
        comparisonOperator: above,
        evaluationPeriods: 1,
      })
      this.#alarm(`SilentSource-${name}`, {
        heading: 'silent-source',
        of: name,
        says: `No file of ${name} came for ${expectedEveryHours} h. Its owner is ${owner}.`,
        tells: notices.topic,
        metric: refused(Stats.SAMPLE_COUNT),
        threshold: 1,
        comparisonOperator: below,
        evaluationPeriods: expectedEveryHours,
        treatMissingData: TreatMissingData.BREACHING,
      })
    }
  }

  #watchExecutions({ orchestration: { stateMachine } }: MonitoringProps): void {
    const sum = { period: Duration.minutes(5), statistic: Stats.SUM }
    // Each is told, with its name, by the rule on executions that failed (`triggers.ts`).
    const once = { threshold: 1, comparisonOperator: atLeast, evaluationPeriods: 1 }
    this.#alarm('ExecutionsFailed', {
      heading: 'executions-failed',
      says: 'An execution of the pipeline failed.',
      metric: stateMachine.metricFailed(sum),
      ...once,
    })
    this.#alarm('ExecutionsTimedOut', {
      heading: 'executions-timed-out',
      says: 'An execution of the pipeline ran out of time.',
      metric: stateMachine.metricTimedOut(sum),
      ...once,
    })
  }

  #watchPartitions({ notices, orchestration: { sweep } }: MonitoringProps): void {
    this.#alarm('PartitionsAhead', {
      heading: 'partitions-ahead',
      says: `Fewer than ${PARTITION_DAYS_AHEAD_MIN} days ahead have a partition, or no sweep has said so for 6 hours. On a day without one no file loads.`,
      tells: notices.topic,
      metric: measureOf(sweep, 'PartitionDaysAhead', { statistic: Stats.MINIMUM, period: Duration.hours(1) }),
      threshold: PARTITION_DAYS_AHEAD_MIN,
      comparisonOperator: below,
      // An outage of the database has its own alarms: this one can wait until it is over.
      evaluationPeriods: 6,
      treatMissingData: TreatMissingData.BREACHING,
    })
    this.#alarm('PartitionsOverdue', {
      heading: 'partitions-overdue',
      says: 'Documents are older than they are to be kept, and no sweep could drop them for 6 hours.',
      tells: notices.topic,
      metric: measureOf(sweep, 'PartitionsOverdue', { statistic: Stats.MAXIMUM, period: Duration.hours(1) }),
      threshold: 1,
      comparisonOperator: atLeast,
      // Each midnight a day becomes due, and a transform that has read it may take an interval or two.
      evaluationPeriods: 6,
    })
  }

  #watchReconciliation({ notices, orchestration }: MonitoringProps): void {
    this.#alarm('FilesMissing', {
      heading: 'files-missing',
      says: 'The bucket holds versions older than an hour that were not in the ledger. They were sent to be loaded.',
      tells: notices.topic,
      metric: measureOf(orchestration.reconcileFiles, 'FilesMissing', {
        statistic: Stats.SUM,
        period: Duration.days(1),
      }),
      threshold: 1,
      comparisonOperator: atLeast,
      evaluationPeriods: 1,
    })
  }

  #watchTransform({ notices, transformProject, transformInterval }: MonitoringProps): void {
    // Told by the build, with the models that failed, and by the rule on executions.
    this.#alarm('TransformFailed', {
      heading: 'transform-failed',
      says: 'A run of dbt failed: some marts are as they were before.',
      metric: transformProject.metricFailedBuilds({ period: Duration.minutes(5), statistic: Stats.SUM }),
      threshold: 1,
      comparisonOperator: atLeast,
      evaluationPeriods: 1,
    })
    this.#alarm('TransformLate', {
      heading: 'transform-late',
      says: `No run of dbt succeeded for three intervals (${3 * transformInterval.toMinutes()} minutes): the marts are that old.`,
      tells: notices.topic,
      metric: transformProject.metricSucceededBuilds({ period: transformInterval, statistic: Stats.SUM }),
      threshold: 1,
      comparisonOperator: below,
      evaluationPeriods: 3,
      treatMissingData: TreatMissingData.BREACHING,
    })
  }

  #watchDatabase({ notices, aurora }: MonitoringProps): void {
    if (aurora === undefined) return
    const over = { tells: notices.topic, comparisonOperator: above }
    this.#alarm('DatabaseCpu', {
      heading: 'database-cpu',
      says: `The writer of the database has been over ${DATABASE_CPU_PERCENT_MAX} % busy for 15 minutes.`,
      metric: aurora.writerMetric('CPUUtilization', { period: Duration.minutes(5), statistic: Stats.AVERAGE }),
      threshold: DATABASE_CPU_PERCENT_MAX,
      evaluationPeriods: 3,
      ...over,
    })
    this.#alarm('DatabaseConnections', {
      heading: 'database-connections',
      says: 'Far more connections to the writer than functions, builds and readers are allowed together.',
      metric: aurora.writerMetric('DatabaseConnections', { period: Duration.minutes(1), statistic: Stats.MAXIMUM }),
      threshold: DATABASE_CONNECTIONS_MAX,
      evaluationPeriods: 5,
      ...over,
    })
    this.#alarm('DatabaseStorage', {
      heading: 'database-storage',
      says: 'The database holds over 250 GB, and is paid by the gigabyte.',
      metric: aurora.volumeBytes({ period: Duration.hours(1), statistic: Stats.MAXIMUM }),
      threshold: DATABASE_BYTES_MAX,
      evaluationPeriods: 1,
      ...over,
    })
  }

  #watchNat({ notices }: MonitoringProps, natGatewayId: string): void {
    this.#alarm('NatBytes', {
      heading: 'nat-bytes',
      says: 'More came in by the NAT gateway in a day than builds and API calls need: it is paid by the gigabyte.',
      tells: notices.topic,
      metric: natBytesIn(natGatewayId, { statistic: Stats.SUM, period: Duration.days(1) }),
      threshold: NAT_BYTES_PER_DAY_MAX,
      comparisonOperator: above,
      evaluationPeriods: 1,
    })
  }

  #alarm(id: string, watched: Watched): void {
    const { stage, runbookUrl } = this.#props
    const treatMissingData = TreatMissingData.NOT_BREACHING
    this.#alarms.push(new RunbookAlarm(this, id, { stage, runbookUrl, treatMissingData, ...watched }))
  }
}
