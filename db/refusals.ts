/** Questions about files that were refused, and not erased: quarantined, or poison whose copy is pending. */
import { and, count, desc, eq, gte, inArray, isNull, type SQL, sql } from 'drizzle-orm'
import type { Session } from './client.ts'
import { files } from './schema.ts'

/** Which refusals are meant; what is left out does not matter. */
export interface RefusalFilter {
  readonly source?: string | undefined
  /** Kind of the reason, e.g. `contract`. */
  readonly kind?: string | undefined
  readonly since?: Date | undefined
}

const kind = sql<string>`coalesce(${files.reason} ->> 'kind', 'unknown')`

const matches = ({ source, kind: wantedKind, since }: RefusalFilter): SQL | undefined =>
  and(
    inArray(files.status, ['poison', 'quarantined']),
    isNull(files.erasedAt),
    source === undefined ? undefined : eq(files.source, source),
    since === undefined ? undefined : gte(files.changedAt, since),
    wantedKind === undefined ? undefined : eq(kind, wantedKind),
  )

/** Refused files, the newest first, each with the first of its issues. */
export async function listRefusals(session: Session, filter: RefusalFilter, limit: number) {
  return await session
    .select({
      fileId: files.id,
      key: files.key,
      versionId: files.versionId,
      source: files.source,
      status: files.status,
      kind,
      reason: files.reason,
      quarantineKey: files.quarantineKey,
      quarantineNote: files.quarantineNote,
      changedAt: files.changedAt,
    })
    .from(files)
    .where(matches(filter))
    .orderBy(desc(files.changedAt), desc(files.id))
    .limit(limit)
}

/** How many files were refused for each kind of reason, the most frequent first. */
export async function countRefusalsByKind(session: Session, filter: RefusalFilter) {
  return await session
    .select({ kind, count: count() })
    .from(files)
    .where(matches(filter))
    .groupBy(kind)
    .orderBy(desc(count()), kind)
}
