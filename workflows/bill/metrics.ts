/** The custom metrics that functions print, which are in no template. AWS bills each combination of name and dimensions. */

interface PrintedMetric {
  readonly name: string
  /** Once for each source: its dimensions are [service, source]. Others have [service] alone. */
  readonly isPerSource: boolean
  /** Share of the hours of a busy month in which it is printed. AWS bills by the hour, and nothing for the others. */
  readonly share: number
}

const always = (isPerSource: boolean, ...names: string[]): PrintedMetric[] =>
  names.map((name) => ({ name, isPerSource, share: 1 }))

/** After what should not happen, and when a person does something: two hours a day at most. */
const seldom = (isPerSource: boolean, ...names: string[]): PrintedMetric[] =>
  names.map((name) => ({ name, isPerSource, share: 0.1 }))

export const PRINTED_METRICS: readonly PrintedMetric[] = [
  ...always(true, 'FilesLoaded', 'FilesRefused'),
  ...always(false, 'BatchSize', 'Redeliveries', 'Slices', 'PutToCommit', 'PartitionDaysAhead', 'PartitionsOverdue'),
  ...always(false, 'TransformsClaimed'),
  // One file in a thousand is refused: about every hour at 100,000 a day.
  ...always(false, 'FilesQuarantined', 'FilesWithoutCopy'),
  ...seldom(true, 'FilesRepeated', 'FilesVanished'),
  ...seldom(false, 'DeadLettersCollected', 'DeadLettersClaimed', 'FilesReplayed', 'Questions', 'BuildSeconds'),
  ...seldom(false, 'VersionsListed', 'FilesMissing', 'FilesErased'),
]

/** How many that are printed in every hour cost the same. */
export function countMetrics(sources: number): number {
  return PRINTED_METRICS.reduce((sum, { isPerSource, share }) => sum + (isPerSource ? sources : 1) * share, 0)
}
