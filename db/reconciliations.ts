/** Questions about reconciliations: how far they came, and what they found. */
import { desc, eq, sql } from 'drizzle-orm'
import type { Session } from './client.ts'
import { reconciliations } from './schema.ts'

type Row = typeof reconciliations.$inferSelect

/** The reconciliation of an execution: as it was left, or made now. */
export async function openReconciliation(
  session: Session,
  reconciliation: Pick<Row, 'executionName' | 'requestedBy' | 'why' | 'isBackfill' | 'prefix'>,
): Promise<Row> {
  await session
    .insert(reconciliations)
    .values(reconciliation)
    .onConflictDoNothing({ target: reconciliations.executionName })
  const { executionName } = reconciliation
  const [row] = await session.select().from(reconciliations).where(eq(reconciliations.executionName, executionName))
  if (row === undefined) throw new Error(`the reconciliation of ${executionName} was not written`)
  return row
}

/** What is known after a page: sums over all pages so far, so that to write it twice is to write it once. */
export type ReconciliationProgress = Pick<
  Row,
  'listed' | 'ignored' | 'ignoredExamples' | 'missing' | 'missingExamples' | 'keyMarker' | 'versionIdMarker'
>

/** Notes that what was missing on a page was sent, and whether it was the last page. */
export async function noteReconciled(
  session: Session,
  id: number,
  { isDone, ...progress }: ReconciliationProgress & { readonly isDone: boolean },
): Promise<void> {
  await session
    .update(reconciliations)
    .set({ ...progress, ...(isDone && { endedAt: sql`now()` }) })
    .where(eq(reconciliations.id, id))
}

/** The last time that the bucket was held against the ledger; undefined if never. A backfill is none: it looks for no fault. */
export async function findLastReconciliation(session: Session) {
  const [row] = await session
    .select({
      executionName: reconciliations.executionName,
      requestedBy: reconciliations.requestedBy,
      prefix: reconciliations.prefix,
      startedAt: reconciliations.startedAt,
      endedAt: reconciliations.endedAt,
      listed: reconciliations.listed,
      ignored: reconciliations.ignored,
      missing: reconciliations.missing,
      missingExamples: reconciliations.missingExamples,
    })
    .from(reconciliations)
    .where(eq(reconciliations.isBackfill, false))
    .orderBy(desc(reconciliations.id))
    .limit(1)
  return row
}
