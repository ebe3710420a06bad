/** Metrics that CDK has no method for, by the names under which CloudWatch keeps them. Most are printed by functions (`handlers/metrics.ts`). */
import type { Duration } from 'aws-cdk-lib'
import { Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch'
import { METRICS_NAMESPACE, type SluiceFunction } from './sluice-function.ts'

export interface MeasureOptions {
  readonly statistic: string
  readonly period: Duration
  /** For what is counted by source. */
  readonly source?: string
  readonly label?: string
}

/** A metric of a function. By source: one of those that are printed with it. */
export function measureOf(printedBy: SluiceFunction, metricName: string, options: MeasureOptions): Metric {
  const { source, ...others } = options
  return new Metric({
    namespace: METRICS_NAMESPACE,
    metricName,
    dimensionsMap: { service: printedBy.serviceName, ...(source !== undefined && { source }) },
    ...others,
  })
}

/** Bytes that come into a private network from outside. */
export const natBytesIn = (NatGatewayId: string, options: MetricOptions): Metric =>
  new Metric({
    namespace: 'AWS/NATGateway',
    metricName: 'BytesInFromDestination',
    dimensionsMap: { NatGatewayId },
    ...options,
  })
