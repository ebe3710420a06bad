/**
 * The tables Sluice writes: the ledger of every object version (schema `ingest`) and the documents it loaded (schema `raw`).
 * After a change: `npm run db:generate -- --name <purpose>`. Partitions, collations and functions are added to the
 * generated SQL by hand, since Drizzle cannot express them.
 */
import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  check,
  customType,
  date,
  index,
  integer,
  jsonb,
  pgSchema,
  primaryKey,
  text,
  timestamp,
  unique,
} from 'drizzle-orm/pg-core'

export const ingest = pgSchema('ingest')
export const raw = pgSchema('raw')

/** A transaction id that never wraps (PostgreSQL's xid8). Read as text: it may exceed 2^53. */
const xid8 = customType<{ data: string }>({ dataType: () => 'xid8' })

/** Text compared byte by byte, whatever the database's locale. */
const byteOrderedText = customType<{ data: string }>({ dataType: () => 'text COLLATE "C"' })

const instant = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })

/**
 * What is known of one object version, in rising rank: a status only ever climbs this list, and PostgreSQL compares the
 * values of an enum in this order. `attempted`: a load was begun alone and has not ended. `dead_letter`: received too often.
 * `vanished`: gone before it was read. `poison`: refused, its copy pending. `quarantined`: refused, its copy made.
 * `loaded`: its document is in `raw.documents`.
 */
export const fileStatus = ingest.enum('file_status', [
  'attempted',
  'dead_letter',
  'vanished',
  'poison',
  'quarantined',
  'loaded',
])

/** One reason why a file was refused. No text is longer than 100 characters: a reason must never carry the payload away. */
export interface Issue {
  /** JSON path of the place, e.g. `$.lines[3].price`. */
  readonly path: string
  /** The rule that was broken, e.g. `invalid_type`. */
  readonly rule: string
  readonly expected: string
  readonly found: string
}

/** Why a file is poison: stored as `ingest.files.reason` and beside the quarantined copy. */
export interface Reason {
  /** Which check refused the file, e.g. `contract` or `unparsable` (the list is in `handlers/reasons.ts`). */
  readonly kind: string
  /** Version of the source's contract the file was held against; null when no contract was reached. */
  readonly contractVersion: number | null
  /** At most 20; `issuesOmitted` counts the rest. */
  readonly issues: readonly Issue[]
  readonly issuesOmitted: number
}

/** One invocation's transaction. Also the outbox of the execution that it asks for: name and input as they must be sent. */
export const batches = ingest.table(
  'batches',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    /** Id of the Lambda request, to find its log lines. */
    requestId: text('request_id').notNull(),
    receivedAt: instant('received_at').notNull(),
    committedAt: instant('committed_at'),
    messages: integer('messages').notNull(),
    /** Object versions named by the messages, each counted once: loaded + poison + vanished + repeated. */
    files: integer('files').notNull().default(0),
    bytes: bigint('bytes', { mode: 'number' }).notNull().default(0),
    loaded: integer('loaded').notNull().default(0),
    poison: integer('poison').notNull().default(0),
    vanished: integer('vanished').notNull().default(0),
    /** Versions that the ledger already knew as well or better. */
    repeated: integer('repeated').notNull().default(0),
    /** Null when the batch brought nothing new and no execution is wanted. */
    executionName: text('execution_name'),
    /** The exact bytes to send: StartExecution is idempotent only for the same name with the same input. */
    executionInput: text('execution_input'),
    /** When the execution was known to be started; null with a name set means: still to be started. */
    startedAt: instant('started_at'),
  },
  (table) => [
    // Nearly always empty: what is still to be started is found at once, however many batches there are.
    index('batches_unstarted')
      .on(table.id)
      .where(sql`${table.startedAt} is null and ${table.executionName} is not null`),
  ],
)

/** Which files a replay takes: every condition that is given must hold. */
export interface ReplaySelection {
  readonly source?: string | undefined
  /** Start of the key. */
  readonly prefix?: string | undefined
  /** Event time, ISO 8601: from `since` on, before `until`. */
  readonly since?: string | undefined
  readonly until?: string | undefined
  /** Kind of reason. */
  readonly reason?: string | undefined
  readonly status?: (typeof fileStatus.enumValues)[number] | undefined
}

/** The audit of replays: who had which files loaded again, when and why, and how far it came. */
export const replays = ingest.table('replays', {
  id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  /** The execution that runs it. One execution makes one replay, however often its Task is repeated. */
  executionName: text('execution_name').notNull().unique(),
  /** ARN of the caller. */
  requestedBy: text('requested_by').notNull(),
  why: text('why').notNull(),
  selection: jsonb('selection').$type<ReplaySelection>().notNull(),
  createdAt: instant('created_at').notNull().defaultNow(),
  /** Files with greater ids are still to be sent. */
  sentUpToId: bigint('sent_up_to_id', { mode: 'number' }).notNull().default(0),
  filesSent: integer('files_sent').notNull().default(0),
  finishedAt: instant('finished_at'),
})

/**
 * Looks into the bucket for versions that the ledger does not have: by the clock, to be sure, or for a person, who may also
 * have loaded what lies there from before (a backfill). Written page by page of the listing, after what was missing on it
 * was sent to be loaded.
 */
export const reconciliations = ingest.table('reconciliations', {
  id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  /** The execution that runs it. One execution makes one, however often its Task is repeated. */
  executionName: text('execution_name').notNull().unique(),
  /** ARN of the caller; null when the clock was it. */
  requestedBy: text('requested_by'),
  why: text('why'),
  /** A backfill takes versions of any age, and what it finds is no fault. */
  isBackfill: boolean('is_backfill').notNull(),
  prefix: text('prefix').notNull(),
  /** Where the listing goes on: the key URL-encoded, since it may hold what no text of PostgreSQL can. Null at the start. */
  keyMarker: text('key_marker'),
  versionIdMarker: text('version_id_marker'),
  /** Versions seen: ignored + too young to be missed + known + missing. */
  listed: bigint('listed', { mode: 'number' }).notNull().default(0),
  /** Their names are none that Sluice loads. */
  ignored: bigint('ignored', { mode: 'number' }).notNull().default(0),
  ignoredExamples: text('ignored_examples').array().notNull().default([]),
  /** The ledger had no row of them. All were sent to be loaded. */
  missing: bigint('missing', { mode: 'number' }).notNull().default(0),
  missingExamples: text('missing_examples').array().notNull().default([]),
  startedAt: instant('started_at').notNull().defaultNow(),
  endedAt: instant('ended_at'),
})

/** The ledger: one row per object version, identified by bucket, key and version id. */
export const files = ingest.table(
  'files',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    bucket: text('bucket').notNull(),
    key: text('key').notNull(),
    versionId: text('version_id').notNull(),
    /** Null when no source claims the key. */
    source: text('source'),
    /** Orders the versions of one key; never compared across keys. Null while only a listing has told of the version. */
    sequencer: text('sequencer'),
    /**
     * S3 compares sequencers as hexadecimal text, the shorter one padded on the right with zeros. Cutting the trailing
     * zeros off and comparing by bytes gives the same order without a longest length.
     * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
     */
    sequencerRank: byteOrderedText('sequencer_rank').generatedAlwaysAs(sql`rtrim(upper(sequencer), '0')`),
    sizeBytes: bigint('size_bytes', { mode: 'number' }),
    eventAt: instant('event_at'),
    lastModifiedAt: instant('last_modified_at'),
    status: fileStatus('status').notNull(),
    reason: jsonb('reason').$type<Reason>(),
    contractVersion: integer('contract_version'),
    records: integer('records'),
    /** The load day (UTC): the partition of `raw.documents` that holds the document. Set when loaded. */
    loadedOn: date('loaded_on'),
    /** The batch that decided the present status; null when no batch did. */
    batchId: bigint('batch_id', { mode: 'number' }).references(() => batches.id),
    /**
     * Loads of this file alone, begun after its message had come back. One that was begun and never ended took the process
     * with it.
     */
    attemptsBegun: integer('attempts_begun').notNull().default(0),
    attemptsEnded: integer('attempts_ended').notNull().default(0),
    /** The last replay that loaded or refused this version. */
    replayId: bigint('replay_id', { mode: 'number' }).references(() => replays.id),
    /** The drain that takes care of a dead letter, how often it had been redriven, and until when nobody else does. */
    claimedBy: text('claimed_by'),
    claimedRound: integer('claimed_round'),
    claimedUntil: instant('claimed_until'),
    quarantineKey: text('quarantine_key'),
    /** Why a quarantined file has no copy. */
    quarantineNote: text('quarantine_note'),
    /** When its content was erased for good. The row stays as it was, and no writer changes it any more. */
    erasedAt: instant('erased_at'),
    createdAt: instant('created_at').notNull().defaultNow(),
    changedAt: instant('changed_at').notNull().defaultNow(),
    /**
     * The transaction of the last change of status, or of the place among the versions of the key: a watermark that, unlike
     * a timestamp, cannot miss a late commit.
     */
    changedXid: xid8('changed_xid').notNull().default(sql`pg_current_xact_id()`),
  },
  (table) => [
    unique('files_identity').on(table.bucket, table.key, table.versionId),
    // Counts, the last change of each source and what was refused are read from here alone, not from millions of rows.
    index('files_status').on(table.status, table.source, table.changedAt),
    index('files_batch').on(table.batchId),
    // What changed since the last transform, and, being about in order, the files of a day.
    index('files_changed').on(table.changedXid),
    index('files_event').using('brin', table.eventAt),
    // What a drain has done is summed up when it ends.
    index('files_claimed_by').on(table.claimedBy).where(sql`${table.claimedBy} is not null`),
  ],
)

/** Messages from which no object version could be read: kept whole, with the reason, instead of being retried or dropped. */
export const messages = ingest.table('messages', {
  messageId: text('message_id').primaryKey(),
  body: text('body').notNull(),
  reason: text('reason').notNull(),
  /** Null when the message was collected from the dead-letter queue. */
  batchId: bigint('batch_id', { mode: 'number' }).references(() => batches.id),
  receivedAt: instant('received_at').notNull().defaultNow(),
})

/**
 * The audit of erasures: who had the content of a key removed for good, when and why, and what was removed. Written before
 * anything is removed and completed last: one without `completedAt` was cut short, and is run again.
 */
export const erasures = ingest.table(
  'erasures',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    bucket: text('bucket').notNull(),
    key: text('key').notNull(),
    /** ARN of the caller. */
    requestedBy: text('requested_by').notNull(),
    why: text('why').notNull(),
    begunAt: instant('begun_at').notNull().defaultNow(),
    completedAt: instant('completed_at'),
    /** Versions of the object that were deleted, delete markers included. */
    versions: integer('versions').notNull().default(0),
    /** Versions of quarantined copies and of the reasons beside them. */
    copies: integer('copies').notNull().default(0),
    /** Rows of `raw.documents`. */
    documents: integer('documents').notNull().default(0),
    /** Rows of the ledger whose reason said what was found. */
    reasons: integer('reasons').notNull().default(0),
    /** Unreadable messages that named the key. */
    messages: integer('messages').notNull().default(0),
    /** Rows of the ledger that were marked as erased. */
    files: integer('files').notNull().default(0),
  },
  (table) => [index('erasures_key').on(table.bucket, table.key)],
)

/** Days whose documents were dropped by age, with their partition. Written in the transaction that drops it. */
export const droppedDays = ingest.table('dropped_days', {
  /** The load day of the documents (UTC). */
  day: date('day').primaryKey(),
  droppedAt: instant('dropped_at').notNull().defaultNow(),
})

/**
 * Who may start a transform, and when one last succeeded. Always exactly one row. It bounds how often dbt runs: due when the
 * last success is older than the interval and nobody holds it. Whoever starts one holds it for an interval; success gives it
 * back, failure keeps it, so that a broken model is tried once an interval.
 */
export const transformLease = ingest.table(
  'transform_lease',
  {
    onlyRow: boolean('only_row').primaryKey().default(true),
    heldBy: text('held_by'),
    heldUntil: instant('held_until'),
    succeededAt: instant('succeeded_at'),
  },
  (table) => [check('transform_lease_is_one_row', sql`${table.onlyRow}`)],
)

/** A model that failed, or a test that found rows: names and counts only, never the rows. */
export interface TransformFailure {
  /** dbt's name of the model or test. */
  readonly name: string
  readonly kind: 'model' | 'test' | 'other'
  /** dbt's status: `error`, `fail` or `skipped`. */
  readonly status: string
  /** Rows that a test found; null when it could not run, and for models. */
  readonly rows: number | null
}

/** The runs of dbt, written by the run itself. One without `endedAt` runs now, or was killed: then the next run says so. */
export const transforms = ingest.table(
  'transforms',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    /** The execution that started it; null when a person ran dbt by hand. */
    executionName: text('execution_name'),
    /** The CodeBuild build, to find its log lines. */
    buildId: text('build_id'),
    startedAt: instant('started_at').notNull().defaultNow(),
    endedAt: instant('ended_at'),
    outcome: text('outcome', { enum: ['succeeded', 'failed', 'lost'] }),
    /** When it succeeded, the marts hold every change of the ledger by transactions below this one. */
    readBelow: xid8('read_below').notNull().default(sql`pg_snapshot_xmin(pg_current_snapshot())`),
    /** Sources with files that were new; only what depends on these was built. */
    sources: text('sources').array().notNull().default([]),
    /** Models built and tests passed. */
    nodes: integer('nodes').notNull().default(0),
    failures: jsonb('failures').$type<readonly TransformFailure[]>().notNull().default([]),
  },
  (table) => [
    check('transforms_outcome', sql`${table.outcome} in ('succeeded', 'failed', 'lost')`),
    check('transforms_ended_with_outcome', sql`(${table.endedAt} is null) = (${table.outcome} is null)`),
  ],
)

/**
 * How far each incremental model of dbt has read the ledger: changes by transactions below `readBelow` are in it. Written in
 * the transaction that writes the model, so that the two cannot disagree.
 */
export const transformWatermarks = ingest.table('transform_watermarks', {
  model: text('model').primaryKey(),
  readBelow: xid8('read_below').notNull(),
  /** The source whose documents the model itself reads; null for models of models, and of the ledger alone. */
  source: text('source'),
})

/**
 * One row per loaded file, its payload cast from the file's own bytes so that numbers stay exact. Partitioned by load day,
 * with no default partition and no foreign keys, so that a day is dropped without touching the ledger.
 */
export const documents = raw.table(
  'documents',
  {
    fileId: bigint('file_id', { mode: 'number' }).notNull(),
    loadedOn: date('loaded_on').notNull(),
    source: text('source').notNull(),
    payload: jsonb('payload').notNull(),
  },
  (table) => [primaryKey({ columns: [table.fileId, table.loadedOn] })],
)

/**
 * The ledger as readers count it: `state` is the status, but what was erased is `erased`, and a loaded version is
 * `superseded` when another loaded version of the same key is newer. Newer by sequencer; where one of the two has none, by
 * S3's LastModified. Derived here and written nowhere, so that arrival order cannot matter.
 *
 * LastModified knows seconds only. Of versions put within one, those without a sequencer are taken for older than those with
 * one, and stand among themselves as S3 listed them, which their event_at holds (handlers/reconcile-files/list-versions.ts).
 *
 * dbt's views stand on this one: it cannot be dropped. A migration adds columns at its end, by CREATE OR REPLACE VIEW.
 */
export const currentFiles = ingest
  .view('current_files', {
    id: bigint('id', { mode: 'number' }).notNull(),
    bucket: text('bucket').notNull(),
    key: text('key').notNull(),
    versionId: text('version_id').notNull(),
    source: text('source'),
    state: text('state').notNull(),
    status: fileStatus('status').notNull(),
    reason: jsonb('reason').$type<Reason>(),
    contractVersion: integer('contract_version'),
    records: integer('records'),
    sequencer: text('sequencer'),
    sizeBytes: bigint('size_bytes', { mode: 'number' }),
    eventAt: instant('event_at'),
    lastModifiedAt: instant('last_modified_at'),
    loadedOn: date('loaded_on'),
    batchId: bigint('batch_id', { mode: 'number' }),
    attemptsBegun: integer('attempts_begun').notNull(),
    attemptsEnded: integer('attempts_ended').notNull(),
    quarantineKey: text('quarantine_key'),
    quarantineNote: text('quarantine_note'),
    createdAt: instant('created_at').notNull(),
    changedAt: instant('changed_at').notNull(),
    changedXid: xid8('changed_xid').notNull(),
    replayId: bigint('replay_id', { mode: 'number' }),
    erasedAt: instant('erased_at'),
  })
  .as(sql`
    select
      file.id, file.bucket, file.key, file.version_id, file.source,
      case
        when file.erased_at is not null then 'erased'
        when file.status = 'loaded' and exists (
          select from ingest.files newer
          where newer.bucket = file.bucket and newer.key = file.key and newer.status = 'loaded'
            and newer.erased_at is null
            and case
              when newer.sequencer_rank is not null and file.sequencer_rank is not null
                then newer.sequencer_rank > file.sequencer_rank
              else (
                coalesce(newer.last_modified_at, newer.event_at, newer.created_at), coalesce(newer.sequencer_rank, ''),
                coalesce(newer.event_at, newer.created_at), newer.id
              ) > (
                coalesce(file.last_modified_at, file.event_at, file.created_at), coalesce(file.sequencer_rank, ''),
                coalesce(file.event_at, file.created_at), file.id
              )
            end
        ) then 'superseded'
        else file.status::text
      end as state,
      file.status, file.reason, file.contract_version, file.records, file.sequencer, file.size_bytes, file.event_at,
      file.last_modified_at, file.loaded_on, file.batch_id, file.attempts_begun, file.attempts_ended, file.quarantine_key,
      file.quarantine_note, file.created_at, file.changed_at, file.changed_xid, file.replay_id,
      file.erased_at
    from ingest.files file
  `)
