/** Safeguards that show without any fault: what is delivered twice, at once or in disorder, and what is in the files. */
import { guard, type Safeguard } from './safeguard.ts'

const WRITE_SLICE = 'handlers/ingest/write-slice.ts'
const INGEST_BATCH = 'handlers/ingest/ingest-batch.ts'
const LEDGER = 'db/migrations/0000_ledger_and_documents.sql'

export const safeguards: readonly Safeguard[] = [
  guard('a status only climbs', 'db/files.ts', '(excluded.status > files.status or (', '(true or ('),
  guard(
    'documents for what was returned as new, and only for that',
    WRITE_SLICE,
    'const documents = recorded.flatMap((row): NewDocument[] => {',
    `const table = (await import('../../db/schema.ts')).files
  const everyone = (await savepoint.select().from(table)).filter((row) => byIdentity.has(identityOf(row)))
  const documents = everyone.flatMap((row): NewDocument[] => {`,
  ),
  guard(
    'rows are locked in one order',
    'db/files.ts',
    'const sorted = records.toSorted((a, b) => (identityOf(a) < identityOf(b) ? -1 : 1))',
    'const sorted = [...records]',
  ),
  guard(
    'unreadable messages are locked in one order',
    'db/messages.ts',
    'const inOneOrder = unreadable.toSorted((a, b) => (a.messageId < b.messageId ? -1 : 1))',
    'const inOneOrder = unreadable',
  ),
  guard(
    'a message is acknowledged last',
    INGEST_BATCH,
    'const committed = await ingestSlice(dependencies, slice, invocation)',
    `void ingestSlice(dependencies, slice, invocation)
      const committed = {
        versions: slice.objects.map(identityOf),
        messages: slice.messages.map(({ messageId }) => messageId),
      }`,
  ),
  guard(
    'a message is acknowledged only with everything it names',
    INGEST_BATCH,
    'objectsOf(message).every(',
    'objectsOf(message).slice(0, 1).every(',
  ),
  guard(
    'one batch takes the lease of the transform',
    'db/transforms.ts',
    '.heldUntil} <= now(), true)',
    '.heldUntil} <= now(), true) or true',
  ),
  guard('sequencers compare byte by byte', LEDGER, 'text COLLATE "C" GENERATED', 'text GENERATED'),
  guard('sequencers compare in one case', LEDGER, "rtrim(upper(sequencer), '0')", "rtrim(sequencer, '0')"),
  guard('sequencers compare from the left', LEDGER, "rtrim(upper(sequencer), '0')", "lpad(upper(sequencer), 40, '0')"),
  guard(
    'a version is once in a batch',
    'handlers/ingest/plan-slices.ts',
    'known.set(identityOf(object), combine(',
    'known.set(identityOf(object) + message.messageId, combine(',
  ),
  guard(
    'a refused document is rolled back to a savepoint',
    WRITE_SLICE,
    'return await transaction.transaction((savepoint) => writeLedgerAndDocuments(savepoint, files, context))',
    'return await writeLedgerAndDocuments(transaction, files, context)',
  ),
  guard(
    'a refused document becomes poison',
    WRITE_SLICE,
    'writeLedgerAndDocuments(savepoint, judged, context))',
    `writeLedgerAndDocuments(savepoint, judged.filter(({ verdict }) => verdict.status === 'loaded'), context))`,
  ),
  guard(
    'poison is not loaded',
    WRITE_SLICE,
    'status: verdict.status,',
    "status: verdict.status === 'poison' ? 'loaded' : verdict.status,",
  ),
  guard(
    'a document is the text of its file',
    WRITE_SLICE,
    'source: file.source.name, bytes: file.verdict.bytes }]',
    'source: file.source.name, bytes: Buffer.from(JSON.stringify(JSON.parse(Buffer.from(file.verdict.bytes).toString()))) }]',
  ),
  guard('the version of the event is read', 'handlers/ingest/read-object.ts', ', VersionId: versionId })', ' })'),
  guard('an unreadable message is kept once', 'db/messages.ts', '.onConflictDoNothing()', ''),
  guard(
    'an attempt ends with its outcome',
    WRITE_SLICE,
    'if (attempted !== undefined) await endAttempt(transaction, attempted)',
    '',
  ),
]
