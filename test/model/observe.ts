/** What the database holds of one program: everything is found by the program's bucket. */
import { eq, sql } from 'drizzle-orm'
import type { Session } from '../../db/client.ts'
import { batches, currentFiles, documents, files, messages } from '../../db/schema.ts'

export type LedgerRow = Awaited<ReturnType<typeof ledgerOf>>[number]

export async function ledgerOf(session: Session, bucket: string) {
  return await session.select().from(currentFiles).where(eq(currentFiles.bucket, bucket))
}

/** The version that a row of the ledger is about. */
export async function versionOf(session: Session, fileId: number): Promise<string> {
  const [row] = await session.select({ versionId: files.versionId }).from(files).where(eq(files.id, fileId))
  if (row === undefined) throw new Error(`the ledger has no file ${fileId}`)
  return row.versionId
}

/** Requests and messages of a program carry its bucket's name in front. */
const ofProgram = (column: typeof batches.requestId | typeof messages.messageId, bucket: string) =>
  sql`starts_with(${column}, ${`${bucket}/`})`

export async function batchesOf(session: Session, bucket: string) {
  return await session.select().from(batches).where(ofProgram(batches.requestId, bucket))
}

export async function keptMessagesOf(session: Session, bucket: string) {
  return await session.select().from(messages).where(ofProgram(messages.messageId, bucket))
}

/** The documents as text, in which `1.0` and `1.00` differ, by version id. Two of one version are two rows. */
export async function documentsOf(session: Session, bucket: string) {
  return await session
    .select({
      versionId: files.versionId,
      text: sql<string>`${documents.payload}::text`,
      isOnItsDay: sql<boolean>`${documents.loadedOn} = ${files.loadedOn}`,
    })
    .from(documents)
    .innerJoin(files, eq(files.id, documents.fileId))
    .where(eq(files.bucket, bucket))
}

/** Texts of files as PostgreSQL writes them once they are jsonb. */
export async function asStored(session: Session, texts: readonly string[]): Promise<string[]> {
  const rows = await session.execute<{ text: string }>(
    sql`select text::jsonb::text as text from unnest(${sql.param(texts)}::text[]) with ordinality as given (text, position)
      order by position`,
  )
  return rows.rows.map(({ text }) => text)
}
