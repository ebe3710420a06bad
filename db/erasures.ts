/** Questions about erasures: what the database holds of a key, its removal, and the audit. */
import { and, desc, eq, isNull, lte, sql } from 'drizzle-orm'
import type { Session } from './client.ts'
import { documents, erasures, files, messages } from './schema.ts'

export interface ObjectKey {
  readonly bucket: string
  readonly key: string
}

/** A version that the bucket has, as its listing tells. */
export interface ListedVersion {
  readonly versionId: string
  readonly sizeBytes: number | null
  readonly lastModifiedAt: Date | null
}

/** A row of the ledger, and what finds its copies. */
export interface FileOfKey {
  readonly id: number
  readonly source: string | null
  readonly status: (typeof files.$inferSelect)['status']
  readonly quarantineKey: string | null
  readonly isErased: boolean
}

/** What stands in the place of what was erased. */
const ERASED = 'erased'

const ofKey = ({ bucket, key }: ObjectKey) => and(eq(files.bucket, bucket), eq(files.key, key))

/** The rows of a key in the ledger, by ascending id. */
export async function listFilesOfKey(session: Session, object: ObjectKey): Promise<FileOfKey[]> {
  return await session
    .select({
      id: files.id,
      source: files.source,
      status: files.status,
      quarantineKey: files.quarantineKey,
      isErased: sql<boolean>`${files.erasedAt} is not null`,
    })
    .from(files)
    .where(ofKey(object))
    .orderBy(files.id)
}

const documentsOfKey = ({ bucket, key }: ObjectKey) => sql`
  (${documents.fileId}, ${documents.loadedOn}) in (
    select id, loaded_on from ingest.files where bucket = ${bucket} and key = ${key} and loaded_on is not null)`

const hasFound = sql`jsonb_path_exists(${files.reason}, '$.issues[*].found ? (@ != "erased")')`

/** Unreadable messages say the key in whatever form their sender chose. */
const namesKey = (spellings: readonly string[]) =>
  sql`exists (select from unnest(${sql.param(spellings)}::text[]) as spelling where strpos(${messages.body}, spelling) > 0)`

/**
 * How much there is of a key that an erasure would remove.
 *
 * @param spellings of the key, as a message may have them
 */
export async function countErasable(session: Session, object: ObjectKey, spellings: readonly string[]) {
  const { bucket, key } = object
  const cutShort = and(eq(erasures.bucket, bucket), eq(erasures.key, key), isNull(erasures.completedAt))
  return {
    files: await session.$count(files, and(ofKey(object), isNull(files.erasedAt))),
    documents: await countDocuments(session, object),
    reasons: await session.$count(files, and(ofKey(object), hasFound)),
    messages: await session.$count(messages, namesKey(spellings)),
    /** Erasures that were begun and not completed. */
    cutShort: await session.$count(erasures, cutShort),
  }
}

/** Without a look at what they say: the role may not. */
async function countDocuments(session: Session, object: ObjectKey): Promise<number> {
  const { rows } = await session.execute<{ count: number }>(
    sql`select count(file_id)::integer as count from ${documents} where ${documentsOfKey(object)}`,
  )
  return rows[0]?.count ?? 0
}

/** Enters an erasure into the audit, before anything is removed. Returns its id. */
export async function beginErasure(
  session: Session,
  erasure: Pick<typeof erasures.$inferInsert, 'bucket' | 'key' | 'requestedBy' | 'why'>,
): Promise<number> {
  const [row] = await session.insert(erasures).values(erasure).returning({ id: erasures.id })
  if (row === undefined) throw new Error('the erasure was not written')
  return row.id
}

/**
 * Removes what the database holds of a key, in one transaction: its documents, what was found in it, the messages that name it.
 * Every version is marked as erased, those too that only the bucket knows: whoever has read one and not yet written it finds
 * the mark, and writes nothing. A transaction that is about to write one is waited for, and what it wrote is removed.
 *
 * Marked rows count as changed, so that the next transform removes their records from the marts.
 *
 * @param source that claims the key, for versions that the ledger does not know
 */
export async function eraseFromDatabase(
  session: Session,
  object: ObjectKey,
  { source, versions, spellings }: { source: string | null; versions: readonly ListedVersion[]; spellings: string[] },
) {
  const { bucket, key } = object
  return await session.transaction(async (transaction) => {
    // In the order of identities, as `recordFiles` locks them.
    const sorted = versions.toSorted((a, b) => (a.versionId < b.versionId ? -1 : 1))
    const columns = {
      versionIds: sql.param(sorted.map(({ versionId }) => versionId)),
      sizes: sql.param(sorted.map(({ sizeBytes }) => sizeBytes)),
      times: sql.param(sorted.map(({ lastModifiedAt }) => lastModifiedAt?.toISOString() ?? null)),
    }
    await transaction.execute(sql`
      insert into ingest.files (bucket, key, version_id, source, status, size_bytes, last_modified_at)
      select ${bucket}, ${key}, version_id, ${source}, 'vanished', size_bytes, last_modified_at
      from unnest(${columns.versionIds}::text[], ${columns.sizes}::bigint[], ${columns.times}::timestamptz[])
        as listed (version_id, size_bytes, last_modified_at)
      on conflict (bucket, key, version_id) do nothing`)
    await transaction.execute(sql`
      select from ingest.files where bucket = ${bucket} and key = ${key} order by version_id collate "C" for update`)

    const removed = await transaction.execute(sql`delete from ${documents} where ${documentsOfKey(object)}`)
    const cleared = await transaction.execute(sql`
      update ${files} set reason = jsonb_set(reason, '{issues}', (
        select jsonb_agg(issue || jsonb_build_object('found', ${ERASED}::text) order by position)
        from jsonb_array_elements(reason -> 'issues') with ordinality as issues (issue, position)))
      where ${ofKey(object)} and ${hasFound}`)
    const marked = await transaction.execute(sql`
      update ${files} set erased_at = now(), changed_xid = pg_current_xact_id()
      where ${ofKey(object)} and erased_at is null`)
    const emptied = await transaction.update(messages).set({ body: ERASED }).where(namesKey(spellings))
    return {
      documents: removed.rowCount ?? 0,
      reasons: cleared.rowCount ?? 0,
      files: marked.rowCount ?? 0,
      messages: emptied.rowCount ?? 0,
    }
  })
}

/** Completes the audit of an erasure, and with it of those of the same key that were cut short before. */
export async function completeErasure(
  session: Session,
  object: ObjectKey,
  id: number,
  counts: Pick<typeof erasures.$inferSelect, 'versions' | 'copies' | 'documents' | 'reasons' | 'messages' | 'files'>,
): Promise<void> {
  await session.transaction(async (transaction) => {
    await transaction.update(erasures).set(counts).where(eq(erasures.id, id))
    await transaction
      .update(erasures)
      .set({ completedAt: sql`now()` })
      .where(
        and(
          eq(erasures.bucket, object.bucket),
          eq(erasures.key, object.key),
          lte(erasures.id, id),
          isNull(erasures.completedAt),
        ),
      )
  })
}

/** The erasures of a key, the newest first. */
export async function listErasures(session: Session, { bucket, key }: ObjectKey, limit: number) {
  return await session
    .select({
      requestedBy: erasures.requestedBy,
      why: erasures.why,
      begunAt: erasures.begunAt,
      completedAt: erasures.completedAt,
    })
    .from(erasures)
    .where(and(eq(erasures.bucket, bucket), eq(erasures.key, key)))
    .orderBy(desc(erasures.id))
    .limit(limit)
}
