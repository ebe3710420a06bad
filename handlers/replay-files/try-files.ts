/** The dry run of a replay: reads and judges a page of files by today's contracts, and changes nothing. */
import { findRefusedDocuments } from '../../db/documents.ts'
import type { KnownFile } from '../../db/files.ts'
import { selectForReplay } from '../../db/replays.ts'
import type { ReplaySelection } from '../../db/schema.ts'
import type { ReplayTrial } from '../contract.ts'
import type { WithDatabase } from '../database.ts'
import { judgeRefused } from '../ingest/judge.ts'
import { type ObjectReader, type ReadFile, readFile } from '../ingest/read-file.ts'
import { TRIAL_PAGE } from '../limits.ts'

export interface TrialDependencies {
  readonly reader: ObjectReader
  readonly withDatabase: WithDatabase
}

/**
 * Tries the next page of a selection, PostgreSQL's own judgement included.
 *
 * @throws whatever S3 or the database throw: a trial says nothing rather than half
 */
export async function tryNextPage(
  { reader, withDatabase }: TrialDependencies,
  selection: ReplaySelection,
  afterId: number,
  end: AbortSignal,
): Promise<ReplayTrial> {
  const page = { afterId, limit: TRIAL_PAGE }
  const files = await withDatabase((database) => selectForReplay(database, selection, page), end)
  const read = await Promise.all(files.map((file) => readFile(reader, asReplayed(file), end)))
  const judged = await judgeByDatabase(withDatabase, read, end)
  return {
    files: judged.map(({ object, verdict }) => ({
      key: object.key,
      outcome: verdict.status,
      reason: verdict.status === 'poison' ? verdict.reason : null,
    })),
    nextAfterId: files.length < TRIAL_PAGE ? null : (files.at(-1)?.id ?? null),
  }
}

/** As the message of a replay would name it. */
const asReplayed = (file: KnownFile) => ({ ...file, replay: { id: 1, copyKey: file.quarantineKey } })

async function judgeByDatabase(withDatabase: WithDatabase, read: ReadFile[], end: AbortSignal): Promise<ReadFile[]> {
  const candidates = read.flatMap((file) =>
    file.verdict.status === 'loaded' && file.source !== undefined
      ? [{ file, source: file.source, bytes: file.verdict.bytes }]
      : [],
  )
  const refused = await withDatabase(
    (database) =>
      database.transaction((transaction) =>
        findRefusedDocuments(
          transaction,
          candidates.map(({ bytes }) => bytes),
        ),
      ),
    end,
  )
  const verdicts = new Map(
    [...refused].flatMap(([position, code]) => {
      const candidate = candidates[position]
      return candidate === undefined ? [] : [[candidate.file, judgeRefused(candidate.source, candidate.bytes, code)]]
    }),
  )
  return read.map((file) => ({ ...file, verdict: verdicts.get(file) ?? file.verdict }))
}
