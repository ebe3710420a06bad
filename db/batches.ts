/** Questions about batches, and about the executions that they ask for. */
import { eq, sql } from 'drizzle-orm'
import type { Session } from './client.ts'
import { batches } from './schema.ts'

export type BatchResult = Required<
  Pick<
    typeof batches.$inferInsert,
    'files' | 'bytes' | 'loaded' | 'poison' | 'vanished' | 'repeated' | 'executionName' | 'executionInput'
  >
>

/** Opens the row of a batch whose transaction has just begun. Returns its id and the load day (UTC, `YYYY-MM-DD`). */
export async function openBatch(
  session: Session,
  batch: { requestId: string; receivedAt: Date; messages: number },
): Promise<{ id: number; loadedOn: string }> {
  const [row] = await session
    .insert(batches)
    .values(batch)
    // The database's clock, since the database makes the partitions.
    .returning({ id: batches.id, loadedOn: sql<string>`(now() at time zone 'UTC')::date::text` })
  if (row === undefined) throw new Error('INSERT INTO ingest.batches returned no row')
  return row
}

/** Writes down what became of a batch. The last statement but the lease's before the commit. */
export async function closeBatch(session: Session, batchId: number, result: BatchResult): Promise<void> {
  await session
    .update(batches)
    .set({ ...result, committedAt: sql`clock_timestamp()` })
    .where(eq(batches.id, batchId))
}

/** Notes that the execution a batch asked for is known to be started. */
export async function markExecutionStarted(session: Session, batchId: number): Promise<void> {
  await session.update(batches).set({ startedAt: sql`now()` }).where(eq(batches.id, batchId))
}
