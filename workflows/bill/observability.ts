/** CloudWatch: logs, alarms, metrics, dashboards. */
import { z } from 'zod'
import type { Estimate } from './estimate.ts'
import { callsInAll, hasFunctions } from './functions.ts'
import { type BillLine, charge, count } from './line.ts'
import { pipelineOf, statesOnWay } from './machine.ts'
import { prices } from './prices.ts'
import { countOf, resourcesOf } from './template.ts'
import { DAYS, HOURS } from './traffic.ts'

const alarm = z.looseObject({
  Period: z.number().optional(),
  Metrics: z.array(z.looseObject({ MetricStat: z.looseObject({ Period: z.number() }).optional() })).optional(),
  ThresholdMetricId: z.string().optional(),
})
const logGroup = z.looseObject({ RetentionInDays: z.number().optional() })
const cluster = z.looseObject({ EnableCloudwatchLogsExports: z.array(z.string()).default([]) })

const FREE_DASHBOARDS = 3
/** An alarm on an anomaly is on three metrics: the measured one and both edges. */
const METRICS_OF_ANOMALY = 3
/** Below it an alarm is of high resolution, and three times as dear. */
const STANDARD_PERIOD_SECONDS = 60
/** Parallel GETs of a batch, each on a connection; and those to Step Functions and the database. */
const READ_CONNECTIONS = 16
const OTHER_CONNECTIONS = 2

export function observabilityLines(estimate: Estimate): BillLine[] {
  const { template, traffic, assumed } = estimate
  const logs = logsOf(estimate)
  const gigabytes = logs.reduce((sum, [amount]) => sum + amount, 0)
  const groups = resourcesOf(template, 'AWS::Logs::LogGroup', logGroup)
  const days = Math.max(0, ...groups.map(({ RetentionInDays }) => RetentionInDays ?? assumed.stageAgeMonths * DAYS))
  const alarms = resourcesOf(template, 'AWS::CloudWatch::Alarm', alarm).map(metricsOfAlarm)
  const [standard, high] = [false, true].map((isHigh) =>
    alarms.filter((each) => each.isHigh === isHigh).reduce((sum, { metrics }) => sum + metrics, 0),
  )
  const composite = countOf(template, 'AWS::CloudWatch::CompositeAlarm')
  const hours = Math.min(1, (traffic.batches + traffic.schedules.reduce((sum, { runs }) => sum + runs, 0)) / HOURS)
  const metrics = hasFunctions(template) ? assumed.customMetrics * hours : 0
  const dashboards = countOf(template, 'AWS::CloudWatch::Dashboard')
  return [
    charge('Logs: taken in', prices.logIntake, logs),
    charge('Logs: kept', prices.logStorage, [
      [(gigabytes * days) / DAYS, `${count(gigabytes / DAYS)} GB a day x ${count(days)} days`],
    ]),
    charge('Alarms', prices.alarm, [[standard ?? 0, `${standard} metrics`]]),
    charge('Alarms of high resolution', prices.alarmHighResolution, [[high ?? 0, `${high} metrics`]]),
    charge('Alarms on alarms', prices.compositeAlarm, [[composite, `${composite} alarms`]]),
    charge('Custom metrics', prices.metric, [
      [metrics, `${count(assumed.customMetrics)} metrics x ${count(hours * 100)} % of the hours`],
    ]),
    charge('Dashboards', prices.dashboard, [[dashboards, `${dashboards} dashboards`]], FREE_DASHBOARDS),
  ]
}

function logsOf(estimate: Estimate): [number, string][] {
  const { template, traffic, assumed, load } = estimate
  const calls = callsInAll(estimate)
  const ofFunctions = (calls * assumed.batchLogKilobytes) / 1e6
  const pipeline = pipelineOf(template)
  const states = pipeline?.logsAll ? statesOnWay(pipeline.machine, 'batch') : 0
  const ofExecutions = (traffic.batches * states * assumed.executionLogKilobytesPerState) / 1e6
  const ofBuilds = (traffic.builds * assumed.buildLogKilobytes) / 1e6
  const exportsLog = resourcesOf(template, 'AWS::RDS::DBCluster', cluster).some(
    (each) => each.EnableCloudwatchLogsExports.length > 0,
  )
  const isUsed = traffic.files > 0 || traffic.schedules.length > 0
  const ofDatabase = exportsLog && isUsed ? (assumed.databaseLogMegabytes * DAYS) / 1e3 : 0
  const connections = Math.min(load.filesPerBatch, READ_CONNECTIONS) + OTHER_CONNECTIONS
  const flows =
    countOf(template, 'AWS::EC2::FlowLog') * traffic.batches * connections * assumed.flowRecordsPerConnection
  const ofFlows = (flows * assumed.flowRecordBytes) / 1e9
  return [
    [ofFunctions, `${count(ofFunctions)} GB of functions`],
    [ofExecutions, `${count(ofExecutions)} GB of executions`],
    [ofBuilds, `${count(ofBuilds)} GB of builds`],
    [ofDatabase, `${count(ofDatabase)} GB of the database`],
    [ofFlows, `${count(ofFlows)} GB of the flow log`],
  ]
}

function metricsOfAlarm({ Period, Metrics, ThresholdMetricId }: z.infer<typeof alarm>) {
  const measured = Metrics?.flatMap(({ MetricStat }) => MetricStat ?? [])
  const period = measured === undefined ? Period : Math.min(...measured.map((each) => each.Period))
  const metrics = ThresholdMetricId === undefined ? (measured?.length ?? 1) : METRICS_OF_ANOMALY
  return { metrics, isHigh: period !== undefined && period < STANDARD_PERIOD_SECONDS }
}
