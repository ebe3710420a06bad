/** Questions about batches, and about the executions that they ask for. */
import { and, desc, eq, isNotNull, isNull, sql } from 'drizzle-orm'
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

/** Batches, the newest first. */
export async function listBatches(session: Session, limit: number) {
  return await session
    .select({
      id: batches.id,
      requestId: batches.requestId,
      receivedAt: batches.receivedAt,
      messages: batches.messages,
      files: batches.files,
      bytes: batches.bytes,
      loaded: batches.loaded,
      poison: batches.poison,
      vanished: batches.vanished,
      repeated: batches.repeated,
      /** From the receipt of the messages to the commit. */
      milliseconds: sql<
        number | null
      >`(extract(epoch from ${batches.committedAt} - ${batches.receivedAt}) * 1000)::integer`,
      executionName: batches.executionName,
      startedAt: batches.startedAt,
    })
    .from(batches)
    .orderBy(desc(batches.id))
    .limit(limit)
}

/** The outbox: batches whose execution is still to be started, the oldest first, between two ages. */
export async function findUnstartedBatches(
  session: Session,
  { afterMinutes, untilDays, limit }: { afterMinutes: number; untilDays: number; limit: number },
) {
  const rows = await session
    .select({ id: batches.id, name: batches.executionName, input: batches.executionInput })
    .from(batches)
    .where(
      and(
        isNull(batches.startedAt),
        isNotNull(batches.executionName),
        sql`${batches.committedAt} between now() - make_interval(days => ${untilDays})
          and now() - make_interval(mins => ${afterMinutes})`,
      ),
    )
    .orderBy(batches.id)
    .limit(limit)
  return rows.flatMap(({ id, name, input }) => (name === null || input === null ? [] : [{ id, name, input }]))
}
