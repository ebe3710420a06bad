/** Answers questions about the ledger, changing nothing. */
import { listBatches } from '../../db/batches.ts'
import type { Session } from '../../db/client.ts'
import { listErasures } from '../../db/erasures.ts'
import { errorCode } from '../../db/errors.ts'
import { findLastReconciliation } from '../../db/reconciliations.ts'
import { countRefusalsByKind, listRefusals } from '../../db/refusals.ts'
import {
  countErased,
  countFilesByStatus,
  countSuperseded,
  measureBatchSizes,
  measurePutToCommit,
  measureUnreadableMessages,
  measureUnstarted,
} from '../../db/status.ts'
import { listTransforms, measureMarts } from '../../db/transforms.ts'
import { countVersionsOfKey, findKeyOfCopy, listVersionsOfKey } from '../../db/versions.ts'
import type { WithDatabase } from '../database.ts'
import { errorFacts, InvalidInput, LedgerNotRead } from '../errors.ts'
import { logger } from '../logger.ts'
import { findSource, sources } from '../sources/registry.ts'
import { ERASURES_MAX, type LedgerAnswer, type LedgerQuestion, VERSIONS_MAX } from './contract.ts'

export interface LedgerDependencies {
  readonly withDatabase: WithDatabase
  /** The landing bucket. */
  readonly bucket: string
}

/** Runs of dbt that `status` shows: whether it fails once or always. */
const RUNS_IN_STATUS = 3

type Asked<Name extends LedgerQuestion['question']> = Extract<LedgerQuestion, { question: Name }>

/**
 * Answers one question from one snapshot of the ledger, in a transaction that cannot write.
 *
 * @throws {LedgerNotRead} when the database fails; with its code only, since its text can carry the data of a row
 */
export async function answer(
  { withDatabase, bucket }: LedgerDependencies,
  question: LedgerQuestion,
  end?: AbortSignal,
) {
  // Needs no database, so files can be put while it is down.
  if (question.question === 'landing') return answerLanding(bucket)
  try {
    return await withDatabase(
      (database) =>
        database.transaction((session) => answerFromLedger(session, bucket, question), {
          accessMode: 'read only',
          isolationLevel: 'repeatable read',
        }),
      end,
    )
  } catch (error) {
    logger.error('ledger not read', { question: question.question, ...errorFacts(error) })
    if (error instanceof InvalidInput) throw error
    throw new LedgerNotRead(`the ledger could not be read: ${errorCode(error) ?? errorFacts(error).error}`)
  }
}

async function answerFromLedger(session: Session, bucket: string, question: Exclude<LedgerQuestion, Asked<'landing'>>) {
  switch (question.question) {
    case 'status':
      return await answerStatus(session, question)
    case 'explain':
      return await answerExplain(session, bucket, question)
    case 'quarantine':
      return await answerQuarantine(session, question)
    case 'transforms':
      return await answerTransforms(session, question.limit)
    case 'batches':
      return { batches: await listBatches(session, question.limit) } satisfies LedgerAnswer<'batches'>
  }
}

function answerLanding(bucket: string): LedgerAnswer<'landing'> {
  return { bucket, sources: sources.map(({ name, prefix }) => ({ name, prefix })) }
}

async function answerStatus(session: Session, { since }: Asked<'status'>): Promise<LedgerAnswer<'status'>> {
  const byStatus = await countFilesByStatus(session)
  const erased = await countErased(session)
  const superseded = await countSuperseded(session)
  const measured = await measurePutToCommit(session, since)

  const deployed = sources.map(({ name }) => name)
  const names = new Set<string | null>([...deployed, ...byStatus.map(({ source }) => source)])
  const delaysOf = (row: (typeof measured)[number] | undefined) =>
    row === undefined ? null : { files: row.files, p50Seconds: row.p50Seconds, p99Seconds: row.p99Seconds }

  return {
    since,
    sources: [...names].map((name) => {
      const rows = byStatus.filter(({ source }) => source === name)
      const erasedOf = erased.filter(({ source }) => source === name)
      const countOf = (status: string) =>
        (rows.find((row) => row.status === status)?.count ?? 0) -
        (erasedOf.find((row) => row.status === status)?.count ?? 0)
      const replaced = superseded.find(({ source }) => source === name)?.count ?? 0
      return {
        source: name,
        states: {
          loaded: countOf('loaded') - replaced,
          superseded: replaced,
          quarantined: countOf('quarantined'),
          poison: countOf('poison'),
          vanished: countOf('vanished'),
          attempted: countOf('attempted'),
          dead_letter: countOf('dead_letter'),
          erased: erasedOf.reduce((sum, row) => sum + row.count, 0),
        },
        lastLoadedAt: rows.find((row) => row.status === 'loaded')?.lastChangedAt ?? null,
        expectedEveryHours: sources.find((source) => source.name === name)?.expectedEveryHours ?? null,
        putToCommit: delaysOf(measured.find((row) => !row.isTotal && row.source === name)),
      }
    }),
    putToCommit: delaysOf(measured.find((row) => row.isTotal)),
    batches: await measureBatchSizes(session, since),
    unstarted: await measureUnstarted(session),
    unreadableMessages: await measureUnreadableMessages(session, since),
    transforms: await answerTransforms(session, RUNS_IN_STATUS),
    reconciliation: (await findLastReconciliation(session)) ?? null,
  }
}

async function answerTransforms(session: Session, limit: number): Promise<LedgerAnswer<'transforms'>> {
  return { marts: await measureMarts(session), runs: await listTransforms(session, limit) }
}

/** Copies and reasons are named after the ledger id of their file (see quarantine-files). */
const COPY_OR_REASON = /^(quarantine\/.*\/(\d{1,15}))(?:\.reason)?\.json$/

async function answerExplain(session: Session, landing: string, asked: Asked<'explain'>) {
  const { bucket = landing } = asked
  const [, copy, fileId] = COPY_OR_REASON.exec(asked.key) ?? []
  const original = copy === undefined ? undefined : await findKeyOfCopy(session, Number(fileId), `${copy}.json`)
  const key = original ?? asked.key
  const versions = await listVersionsOfKey(session, bucket, key, VERSIONS_MAX)
  const known = await countVersionsOfKey(session, bucket, key)
  const erasures = await listErasures(session, { bucket, key }, ERASURES_MAX)
  return {
    bucket,
    landingBucket: landing,
    key,
    owner: findSource(key)?.owner ?? null,
    versions,
    versionsOmitted: known - versions.length,
    erasures,
  } satisfies LedgerAnswer<'explain'>
}

async function answerQuarantine(session: Session, asked: Asked<'quarantine'>): Promise<LedgerAnswer<'quarantine'>> {
  const files = await listRefusals(session, asked, asked.limit)
  return {
    files: files.map(({ reason, ...file }) => ({
      ...file,
      firstIssue: reason?.issues[0] ?? null,
      otherIssues: Math.max(0, (reason?.issues.length ?? 0) + (reason?.issuesOmitted ?? 0) - 1),
    })),
    byKind: await countRefusalsByKind(session, asked),
  }
}
