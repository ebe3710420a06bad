/** What the metrics say of an invocation that loads files. Pure. */
import { identityOf, type RecordedFile } from '../../db/files.ts'
import { countOf, type Measurement } from '../metrics.ts'
import type { ReadFile } from './read-file.ts'

/** What a commit has made of a file. */
export interface FileOutcome {
  /** Name of its source; null when no source claims its key. */
  readonly source: string | null
  /** `repeated`: the ledger knew it as well or better. */
  readonly outcome: 'loaded' | 'refused' | 'vanished' | 'repeated'
  /** Seconds from the put to the commit, of a file that is newly loaded; null for others, of a replay or found in a listing. */
  readonly putToCommitSeconds: number | null
}

/**
 * @param recorded what the ledger took of the files
 * @param committedAt when the function knew of the commit
 */
export function outcomesOf(
  files: readonly Pick<ReadFile, 'object' | 'source'>[],
  recorded: readonly RecordedFile[],
  committedAt: Date,
): FileOutcome[] {
  const statuses = new Map(recorded.map((row) => [identityOf(row), row.status]))
  return files.map(({ object, source }) => {
    const status = statuses.get(identityOf(object))
    // What a person had loaded again, or what was found in a listing, was put long ago and says nothing of how fast files come.
    const isOfEvent = object.sequencer !== null && object.replay === undefined
    const isTimed = status === 'loaded' && object.eventAt !== null && isOfEvent
    return {
      source: source?.name ?? null,
      outcome: outcomeOf(status),
      // S3's clock may be ahead of this one, and CloudWatch has no percentiles of what is negative.
      putToCommitSeconds: isTimed ? Math.max(0, committedAt.getTime() - Number(object.eventAt)) / 1_000 : null,
    }
  })
}

function outcomeOf(status: RecordedFile['status'] | undefined): FileOutcome['outcome'] {
  if (status === undefined) return 'repeated'
  // A replay that is refused again leaves a quarantined file quarantined.
  return status === 'loaded' || status === 'vanished' ? status : 'refused'
}

/** What is measured of committed files, by source. */
export function measureFiles(outcomes: readonly FileOutcome[]): Measurement[] {
  const bySource = Map.groupBy(outcomes, ({ source }) => source ?? 'none')
  return [...bySource].flatMap(([source, files]) => {
    const count = (wanted: FileOutcome['outcome']) => files.filter(({ outcome }) => outcome === wanted).length
    const judged = files.filter(({ outcome }) => outcome === 'loaded' || outcome === 'refused')
    // A value for each file that was judged: the average is the share that was refused.
    const refused = judged.map(({ outcome }) => (outcome === 'refused' ? 1 : 0))
    const rare = [countOf('FilesVanished', count('vanished')), countOf('FilesRepeated', count('repeated'))]
    return [
      countOf('FilesLoaded', count('loaded')),
      { name: 'FilesRefused', unit: 'Count' as const, values: refused },
      ...rare.filter(({ values }) => values[0] !== 0),
    ].map((measurement) => ({ ...measurement, source }))
  })
}

/**
 * What is measured of an invocation of the ingest function.
 *
 * @param slices into how many its messages were cut; none when the ledger could not be asked
 */
export function measureInvocation(
  messages: readonly { readonly isRedelivered: boolean }[],
  slices: number,
  outcomes: readonly FileOutcome[],
): Measurement[] {
  return [
    countOf('BatchSize', messages.length),
    countOf('Redeliveries', messages.filter(({ isRedelivered }) => isRedelivered).length),
    countOf('Slices', slices),
    { name: 'PutToCommit', unit: 'Seconds', values: outcomes.flatMap((file) => file.putToCommitSeconds ?? []) },
    ...measureFiles(outcomes),
  ]
}
