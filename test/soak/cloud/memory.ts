/** Whether memory grows: the median of the last quarter of a run against that of the second. */
import { listCloudProcesses } from './processes.ts'

/**
 * What the last quarter may have of the second's. Less, and the collector of a runtime, which takes what it is given, fails
 * the run; more, and a leak of a few bytes for each file hides in it.
 */
const GROWTH_FACTOR_MAX = 1.25
const GROWTH_MEGABYTES_MAX = 20

/**
 * Samples of a quarter without which nothing is said, a minute's worth. Fewer, and a heap that is still being filled for the
 * first time is taken for a leak; more, and only long runs say anything.
 */
const SAMPLES_MIN = 30

interface Sample {
  /** In milliseconds, of any beginning. */
  readonly at: number
  readonly megabytes: ReadonlyMap<string, number>
}

export interface Growth {
  readonly kind: string
  readonly samples: number
  /** Medians in megabytes; NaN when there were no samples. */
  readonly secondQuarter: number
  readonly lastQuarter: number
  readonly most: number
  readonly verdict: 'flat' | 'grows' | 'too few samples'
}

/**
 * Looks at all processes of a cloud, by kind. Backends of PostgreSQL come and go with their clients, and are added up. Of a
 * function's workers the largest tells of a leak, however many were killed or are new.
 *
 * @param directory of the cloud
 */
export function sampleMemory(directory: string): Sample {
  const groups = Map.groupBy(listCloudProcesses(directory), ({ kind }) => kind)
  const megabytes = [...groups].map(([kind, processes]) => {
    const sizes = processes.map((process) => process.megabytes)
    const size = kind === 'PostgreSQL' ? sizes.reduce((sum, each) => sum + each, 0) : Math.max(...sizes)
    return [kind, size] as const
  })
  return { at: performance.now(), megabytes: new Map(megabytes) }
}

/**
 * @param samples of a run under an even load, in order
 * @param kept megabytes that a kind of process rightly keeps of what came between the middles of the two quarters
 */
export function compareQuarters(samples: readonly Sample[], kept: Readonly<Record<string, number>> = {}): Growth[] {
  const first = samples[0]?.at ?? 0
  const span = (samples.at(-1)?.at ?? 0) - first
  const kinds = new Set(samples.flatMap(({ megabytes }) => [...megabytes.keys()]))
  return [...kinds].toSorted().map((kind) => {
    const sizesIn = (from: number, to: number) =>
      samples
        .filter(({ at }) => at - first >= from * span && at - first <= to * span)
        .flatMap(({ megabytes }) => megabytes.get(kind) ?? [])
    const [second, last, all] = [sizesIn(0.25, 0.5), sizesIn(0.75, 1), sizesIn(0, 1)]
    const [secondQuarter, lastQuarter] = [median(second), median(last)]
    const mostAllowed = secondQuarter * GROWTH_FACTOR_MAX + GROWTH_MEGABYTES_MAX + (kept[kind] ?? 0)
    const isFlat = lastQuarter <= mostAllowed
    const isCompared = Math.min(second.length, last.length) >= SAMPLES_MIN
    const verdict = !isCompared ? 'too few samples' : isFlat ? 'flat' : 'grows'
    return { kind, samples: all.length, secondQuarter, lastQuarter, most: Math.max(...all), verdict }
  })
}

const median = (sizes: readonly number[]): number => sizes.toSorted((a, b) => a - b)[sizes.length >> 1] ?? Number.NaN
