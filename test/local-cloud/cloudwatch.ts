// CloudWatch as its API shows it: metrics and alarms. By its JSON protocol, since nothing else here would use its client.

import { z } from 'zod'

export interface MetricName {
  readonly Namespace: string
  readonly MetricName: string
  readonly Dimensions: Readonly<Record<string, string | undefined>>
}

export interface AlarmSettings {
  readonly Threshold: number
  readonly ComparisonOperator: string
  readonly EvaluationPeriods: number
  readonly Period: number
  readonly Statistic?: string
  readonly ExtendedStatistic?: string
  readonly TreatMissingData?: string
  readonly AlarmActions?: readonly string[]
  readonly OKActions?: readonly string[]
}

const statistics = z.object({ Datapoints: z.array(z.record(z.string(), z.unknown())) })
const alarms = z.object({ MetricAlarms: z.array(z.object({ StateValue: z.string() })) })

export class CloudWatch {
  readonly #endpoint: string

  constructor(endpoint: string) {
    this.#endpoint = endpoint
  }

  /** What was measured until now: how many values, their sum, and their 99th percentile. Undefined when there is nothing. */
  async measured(name: MetricName): Promise<{ SampleCount: number; Sum: number; p99: number } | undefined> {
    const { Datapoints } = statistics.parse(
      await this.#ask('GetMetricStatistics', {
        ...wireForm(name),
        ...{ StartTime: Date.now() / 1_000 - 3_600, EndTime: Date.now() / 1_000 + 60 },
        // One for all that a test does.
        Period: 864_000,
        ...{ Statistics: ['SampleCount', 'Sum'], ExtendedStatistics: ['p99'] },
      }),
    )
    const [point] = Datapoints
    if (point === undefined) return undefined
    const { p99 } = z.object({ p99: z.number() }).parse(point.ExtendedStatistics)
    return { SampleCount: Number(point.SampleCount), Sum: Number(point.Sum), p99 }
  }

  /** @param ages of the values, in seconds */
  async put(name: MetricName, values: readonly number[], ages: readonly number[] = []): Promise<void> {
    const { Namespace, ...metric } = wireForm(name)
    const MetricData = values.map((Value, i) => ({
      ...metric,
      ...{ Value, Timestamp: Date.now() / 1_000 - (ages[i] ?? 0) },
    }))
    await this.#ask('PutMetricData', { Namespace, MetricData })
  }

  async alarm(AlarmName: string, name: MetricName, settings: AlarmSettings): Promise<void> {
    await this.#ask('PutMetricAlarm', { AlarmName, ...wireForm(name), ...settings })
  }

  async stateOf(alarmName: string): Promise<string | undefined> {
    const answer = await this.#ask('DescribeAlarms', { AlarmNames: [alarmName] })
    return alarms.parse(answer).MetricAlarms[0]?.StateValue
  }

  async #ask(action: string, input: object): Promise<unknown> {
    const response = await fetch(this.#endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `GraniteServiceVersion20100801.${action}`,
        authorization: 'AWS4-HMAC-SHA256 Credential=test/20261124/us-east-1/monitoring/aws4_request',
      },
      body: JSON.stringify(input),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${action}: ${text}`)
    return text === '' ? {} : JSON.parse(text)
  }
}

function wireForm({ Namespace, MetricName, Dimensions }: MetricName) {
  return { Namespace, MetricName, Dimensions: Object.entries(Dimensions).map(([Name, Value]) => ({ Name, Value })) }
}
