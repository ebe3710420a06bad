/**
 * The metrics of every function: lines of CloudWatch's embedded metric format, of which its logs make metrics. Namespace and
 * the dimension `service`, the function's name, come from the environment that `infra/sluice-function.ts` sets.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics'
import { errorFacts } from './errors.ts'
import { logger } from './logger.ts'

/** Values of one metric. Alarms and dashboards know its name, unit and dimensions: to change one is to make another metric. */
export interface Measurement {
  readonly name: string
  readonly unit: 'Count' | 'Seconds'
  /** Each counts by itself: the metric has an average, percentiles, and the number of values. */
  readonly values: readonly number[]
  /** Name of the source that it is about, its second dimension; not given where it is about the function. */
  readonly source?: string | undefined
}

export const countOf = (name: string, count: number): Measurement => ({
  name,
  unit: MetricUnit.Count,
  values: [count],
})

/**
 * Prints measurements: a line for the function, one for each source, and another for every 100 values of a metric, at which
 * Powertools ends a line. Called when what they tell of is committed, so it never throws: what cannot be printed is logged.
 */
export function emitMetrics(measurements: readonly Measurement[]): void {
  try {
    for (const [source, ofSource] of Map.groupBy(measurements, (measurement) => measurement.source)) {
      // A default dimension: others are gone after the first of several lines.
      const metrics = new Metrics({ logger, ...(source !== undefined && { defaultDimensions: { source } }) })
      for (const { name, unit, values } of ofSource) {
        for (const value of values) metrics.addMetric(name, unit, value)
      }
      if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics()
    }
  } catch (error) {
    logger.warn('metrics not printed', errorFacts(error))
  }
}
