/** Holds what was put against the bucket, the ledger and the documents, version by version. */
import { sql } from 'drizzle-orm'
import { countUnmatchedDocuments, countUnreadableMessages, listVersions } from '../../../db/accounting.ts'
import type { Deployment } from '../../../infra/local/demo/deployment.ts'
import { listBucket } from '../../../infra/local/demo/list-bucket.ts'
import { formatKeys } from '../../../infra/local/demo/progress.ts'
import type { PutFile } from './put.ts'
import { countLeft, listFailed } from './settle.ts'

/** Documents compared by one statement. */
const COMPARED_AT_ONCE = 2_000

/** What does not hold, one sentence each; empty when every version is accounted for. */
export async function findViolations(deployment: Deployment, puts: readonly PutFile[]): Promise<string[]> {
  const { database, bucket } = deployment
  const listed = await listBucket(deployment)
  const inputs = new Set(listed.filter(({ key }) => key.startsWith('input/')).map(identityOf))
  const copies = new Set(listed.filter(({ key }) => key.startsWith('quarantine/')).map(({ key }) => key))
  const known = await listVersions(database, bucket)
  const ledger = new Map(known.map((version) => [identityOf(version), version]))
  const expected = new Map(puts.map((put) => [identityOf(put), put]))
  const replaced = new Set(puts.flatMap(({ overwrites, key }) => (overwrites === undefined ? [] : [key])))

  const wrong = puts.filter((put) => {
    const found = ledger.get(identityOf(put))
    if (found === undefined) return false
    if (put.fate.state === 'quarantined') return found.state !== 'quarantined' || found.reason?.kind !== put.fate.kind
    const isReplaced = replaced.has(put.key) && put.overwrites === undefined
    return found.state !== (isReplaced ? 'superseded' : 'loaded')
  })
  const { rows } = await database.execute<{ loaded: number; once: number }>(sql`
    select (select coalesce(sum(loaded), 0)::integer from ingest.batches) as loaded,
           (select count(*)::integer from ingest.files where status = 'loaded') as once`)
  const { loaded = 0, once = 0 } = rows[0] ?? {}
  const { queued, deadLetters } = await countLeft(deployment)
  const failed = await listFailed(deployment)

  return [
    ...complain(
      'put, but not in the bucket',
      [...expected.keys()].filter((identity) => !inputs.has(identity)),
    ),
    ...complain(
      'in the bucket, but not put',
      [...inputs].filter((identity) => !expected.has(identity)),
    ),
    ...complain(
      'in the bucket, but not in the ledger',
      [...inputs].filter((identity) => !ledger.has(identity)),
    ),
    ...complain(
      'in the ledger, but not in the bucket',
      [...ledger.keys()].filter((identity) => !inputs.has(identity)),
    ),
    ...complain(
      'not in the state that they must have',
      wrong.map((put) => {
        const { state, reason } = ledger.get(identityOf(put)) ?? {}
        return `${identityOf(put)}: ${state} (${reason?.kind ?? 'no reason'}), and not ${JSON.stringify(put.fate)}`
      }),
    ),
    ...complain(
      'quarantined without a copy',
      known
        .filter(({ state, quarantineKey }) => state === 'quarantined' && !copies.has(quarantineKey ?? ''))
        .map(identityOf),
    ),
    ...complain('loaded with another content, or none', await findOtherContents(deployment, puts)),
    ...count(await countUnmatchedDocuments(database), 'loaded files have no document, or documents no loaded file'),
    ...count(Math.abs(loaded - once), `is the difference of ${loaded} loads in batches and ${once} loaded files`),
    ...count(await countUnreadableMessages(database), 'messages named no object'),
    ...count(queued, 'messages are left in the queue'),
    ...count(deadLetters, 'messages are left in the dead-letter queue'),
    ...complain(
      'executions failed after their redrive',
      failed.map(({ name, trigger }) => `${name} (${trigger})`),
    ),
  ]
}

/** Versions that are loaded with a document that PostgreSQL does not take for equal to what was put. */
async function findOtherContents({ database, bucket }: Deployment, puts: readonly PutFile[]): Promise<string[]> {
  const good = puts.filter(({ fate }) => fate.state === 'loaded')
  const others: string[] = []
  for (let start = 0; start < good.length; start += COMPARED_AT_ONCE) {
    const page = good.slice(start, start + COMPARED_AT_ONCE)
    const column = (values: readonly string[]) => sql.param(values as unknown)
    const { rows } = await database.execute<{ identity: string }>(sql`
      select put.key || ' ' || put.version_id as identity
      from unnest(${column(page.map(({ key }) => key))}::text[],
                  ${column(page.map(({ versionId }) => versionId))}::text[],
                  ${column(page.map(({ body }) => body.toString()))}::text[]) as put (key, version_id, body)
      join ingest.files file
        on file.bucket = ${bucket} and file.key = put.key and file.version_id = put.version_id and file.status = 'loaded'
      left join raw.documents document on document.file_id = file.id
      where document.payload is distinct from put.body::jsonb`)
    others.push(...rows.map(({ identity }) => identity))
  }
  return others
}

const identityOf = ({ key, versionId }: { key: string; versionId: string }): string => `${key} ${versionId}`

const complain = (what: string, which: readonly string[]): string[] =>
  which.length === 0 ? [] : [`${which.length} ${what}:\n${formatKeys(which)}`]

const count = (number: number, what: string): string[] => (number === 0 ? [] : [`${number} ${what}`])
