/** What functions print for CloudWatch to make metrics of, caught in this process. */
import { vi } from 'vitest'
import { z } from 'zod'

/** A line as CloudWatch takes it: whoever prints anything else beside fails here. */
const document = z.looseObject({
  _aws: z.strictObject({
    Timestamp: z.int(),
    CloudWatchMetrics: z.tuple([
      z.strictObject({
        Namespace: z.string(),
        Dimensions: z.array(z.array(z.string()).max(30)),
        Metrics: z.array(z.strictObject({ Name: z.string(), Unit: z.string() })).max(100),
      }),
    ]),
  }),
})
const values = z.union([z.number(), z.array(z.number()).max(100)])

export interface PrintedLine {
  readonly namespace: string
  /** The one set of dimensions, with its values. */
  readonly dimensions: Readonly<Record<string, unknown>>
  /** Values by the metric's name, always as a list. */
  readonly metrics: Readonly<Record<string, readonly number[]>>
  readonly units: Readonly<Record<string, string>>
}

/** Runs work as a function of this name. Returns the lines that it printed. */
export async function printedBy(service: string, work: () => unknown): Promise<PrintedLine[]> {
  vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false')
  vi.stubEnv('POWERTOOLS_METRICS_NAMESPACE', 'Sluice')
  vi.stubEnv('POWERTOOLS_SERVICE_NAME', service)
  const written: string[] = []
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0)
  try {
    await work()
  } finally {
    write.mockRestore()
    vi.unstubAllEnvs()
  }
  return written.map(readLine)
}

function readLine(text: string): PrintedLine {
  if (!/^\{.*\}\n$/.test(text)) throw new Error(`not one line of JSON: ${text}`)
  const line = document.parse(JSON.parse(text))
  const [{ Namespace, Dimensions, Metrics }] = line._aws.CloudWatchMetrics
  const [names = []] = Dimensions
  return {
    namespace: Namespace,
    dimensions: Object.fromEntries(names.map((name) => [name, line[name]])),
    metrics: Object.fromEntries(Metrics.map(({ Name }) => [Name, [values.parse(line[Name])].flat()])),
    units: Object.fromEntries(Metrics.map(({ Name, Unit }) => [Name, Unit])),
  }
}
