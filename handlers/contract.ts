/** The shapes of everything that crosses a boundary: S3's messages, the state machine's input, the input of each Task. */
import { z } from 'zod'
import { fileStatus } from '../db/schema.ts'

/**
 * Text that the ledger can hold as it is: PostgreSQL refuses NUL, writes half a surrogate pair as another character, and
 * indexes no more than 2,704 bytes of bucket, key and version together. What is beyond is no object of S3, and would come
 * back for ever with all that is received beside it.
 */
const ledgerText = (bytesMax: number) =>
  z
    .string()
    .min(1)
    .refine((text) => !text.includes('\0'), 'has a NUL, which PostgreSQL cannot hold')
    .refine((text) => text.isWellFormed(), 'has half a surrogate pair')
    .refine((text) => Buffer.byteLength(text) <= bytesMax, `is longer than ${bytesMax} bytes`)

/**
 * One record of an S3 event notification. Unknown fields are ignored and minor versions taken as they come; another major
 * version, or an event that created nothing, is refused.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
 */
const s3Record = z.object({
  eventVersion: z.string().regex(/^2\./, 'is not of major version 2'),
  eventName: z.string().startsWith('ObjectCreated:', 'is not the creation of an object'),
  eventTime: z.iso
    .datetime({ offset: true })
    .transform((time) => new Date(time))
    // Beyond, JavaScript writes years that PostgreSQL cannot read.
    .refine((time) => time.getUTCFullYear() >= 1970 && time.getUTCFullYear() <= 9999, 'is not of 1970 to 9999'),
  s3: z.object({
    bucket: z.object({ name: ledgerText(255) }),
    object: z.object({
      key: z.string().transform(decodeKey).pipe(ledgerText(1_024)),
      size: z.number().int().nonnegative().optional(),
      versionId: z.string({ error: 'is missing: the bucket must be versioned' }).pipe(ledgerText(1_024)),
      sequencer: z
        .string()
        .regex(/^[0-9A-Fa-f]+$/, 'is not hexadecimal')
        .optional(),
    }),
  }),
})

/** An object version that an S3 event says was created. */
export interface CreatedObject {
  readonly bucket: string
  readonly key: string
  readonly versionId: string
  readonly sequencer: string | null
  readonly sizeBytes: number | null
  /** When S3 says it was created; null for a version that was found in a listing. */
  readonly eventAt: Date | null
  /** Set when a person asked for it again. */
  readonly replay?: Replay | undefined
}

/** What a replayed message says beside the S3 event that it repeats. */
const replay = z.object({
  id: z.number().int().positive(),
  /** Where the quarantined copy lies, in the same bucket, for when the version itself is gone. */
  copyKey: ledgerText(1_024).nullable(),
})

export type Replay = z.infer<typeof replay>

/** Records are read one by one: a bad one must not cost its neighbours. */
const s3Notification = z.object({ Records: z.array(z.unknown()).min(1), replay: replay.optional() })

/** The message that makes the ingest function load a version again: the S3 event as it was, and the replay. */
export function writeReplayMessage(object: CreatedObject, again: Replay): string {
  const { bucket, key, versionId, sequencer, sizeBytes, eventAt } = object
  const record = {
    eventVersion: '2.1',
    eventSource: 'aws:s3',
    eventName: 'ObjectCreated:Put',
    // The event's own time, so that days do not move; for a version from a listing, which has none, the present.
    eventTime: (eventAt ?? new Date()).toISOString(),
    s3: {
      bucket: { name: bucket },
      object: {
        key: encodeURIComponent(key).replaceAll('%20', '+'),
        versionId,
        ...(sizeBytes !== null && { size: sizeBytes }),
        ...(sequencer !== null && { sequencer }),
      },
    },
  }
  return JSON.stringify({ Records: [record], replay: again })
}

/** S3 sends this when notifications are set up; it names no object. */
const s3TestEvent = z.object({ Event: z.literal('s3:TestEvent') })

/** What a message of the ingest queue says: the objects it names, and why something in it can not be read. */
export interface MessageContent {
  readonly objects: readonly CreatedObject[]
  readonly unreadable?: string
}

/** Reads the body of a message. Never throws: a body that is no S3 event is data. */
export function parseMessage(body: string): MessageContent {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return { objects: [], unreadable: 'the body is not JSON' }
  }
  if (s3TestEvent.safeParse(value).success) return { objects: [] }
  const message = s3Notification.safeParse(value)
  if (!message.success) return { objects: [], unreadable: explainUnreadable([], message.error) }
  const records = message.data.Records.map((record) => s3Record.safeParse(record))
  const objects = records.flatMap((record) => (record.success ? [toObject(record.data, message.data.replay)] : []))
  const bad = records.findIndex((record) => !record.success)
  const error = records[bad]?.error
  return error === undefined ? { objects } : { objects, unreadable: explainUnreadable(['Records', bad], error) }
}

function toObject({ s3, eventTime }: z.infer<typeof s3Record>, again: Replay | undefined): CreatedObject {
  return {
    bucket: s3.bucket.name,
    key: s3.object.key,
    versionId: s3.object.versionId,
    sequencer: s3.object.sequencer ?? null,
    sizeBytes: s3.object.size ?? null,
    eventAt: eventTime,
    ...(again && { replay: again }),
  }
}

function explainUnreadable(path: readonly PropertyKey[], { issues: [issue] }: z.ZodError): string {
  return `not an S3 event: ${[...path, ...(issue?.path ?? [])].join('.')} ${issue?.message ?? ''}`.trim()
}

/** Keys come encoded as in an HTML form: a space is a plus sign. */
function decodeKey(encoded: string, context: z.RefinementCtx): string {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '))
  } catch {
    context.addIssue({ code: 'custom', message: 'is not URL-encoded UTF-8' })
    return z.NEVER
  }
}

/** Input of `pipeline` for a batch that brought something new. Its bytes are kept in the batch row. */
export const batchInput = z.object({
  trigger: z.literal('batch'),
  batchId: z.number().int().positive(),
  /** Ledger ids of the files to quarantine; at most one batch's worth. */
  poisonFileIds: z.array(z.number().int().positive()),
})

export type BatchInput = z.infer<typeof batchInput>

/** Input of the Task *QuarantineFiles*. */
export const quarantineFilesInput = z.object({ fileIds: z.array(z.number().int().positive()).min(1) })

/** Output of the Task *QuarantineFiles*. */
export interface QuarantineFilesOutcome {
  readonly quarantined: number
  /** Of these, files whose copy can never be made; the ledger says why. */
  readonly withoutCopy: number
  /** Files that were no longer poison when the Task ran. */
  readonly unchanged: number
}

/** Input of the Task *CollectDeadLetters*. */
export const collectDeadLettersInput = z.strictObject({})

/** Output of the Task *CollectDeadLetters*. */
export interface CollectDeadLettersOutcome {
  /** Messages that are now in the ledger and no longer in the queue. */
  readonly collected: number
  /** False when there was no time for the rest: run again. */
  readonly isDrained: boolean
}

/** Input of the Tasks *ClaimDeadLetters* and *RequireNoneRemain*. */
export const claimDeadLettersInput = z.object({
  /** Name of the drain: of its first execution. */
  drain: z.string().min(1),
  executionArn: z.string().startsWith('arn:'),
  /** How often it was redriven. */
  round: z.number().int().nonnegative(),
  /** Whether it is a failure when some that this execution had claimed are still dead and none can be claimed. */
  requireNoneRemain: z.boolean(),
})

/** Output of the Tasks *ClaimDeadLetters* and *RequireNoneRemain*. */
export interface ClaimDeadLettersOutcome {
  /** Ledger ids to load now; empty when there are no more. */
  readonly fileIds: readonly number[]
  /** What to tell people once there are no more; null while there are, and when there was nothing to do. */
  readonly notice: { readonly subject: string; readonly text: string } | null
}

/** Input of the Task *LoadFile*. */
export const loadFileInput = z.object({ fileId: z.number().int().positive() })

/** Output of the Task *LoadFile*. */
export interface LoadFileOutcome {
  readonly fileId: number
  /** Status of the file in the ledger. */
  readonly outcome: string
}

/** Which files a replay takes; see `ReplaySelection` in `db/schema.ts`. Times in ISO 8601. */
export const replaySelection = z.strictObject({
  source: z.string().min(1).optional(),
  prefix: z.string().min(1).optional(),
  since: z.iso.datetime({ offset: true }).optional(),
  until: z.iso.datetime({ offset: true }).optional(),
  reason: z.string().min(1).optional(),
  status: z.enum(fileStatus.enumValues).optional(),
})

/** Input of `pipeline` for a replay. */
export const replayInput = z.object({
  trigger: z.literal('replay'),
  /** ARN of whoever asked for it. */
  requestedBy: z.string().min(1),
  why: z.string().min(1).max(1_000),
  selection: replaySelection,
})

/** Input of `pipeline`, by what it is started for. */
export const pipelineInput = z.discriminatedUnion('trigger', [
  batchInput,
  z.strictObject({
    trigger: z.literal('dead-letters'),
    /** Name of the drain that this execution goes on with; its own when it begins one. */
    drain: z.string().min(1).optional(),
  }),
  replayInput,
  z.strictObject({ trigger: z.literal('sweep') }),
])

/** Input of the function behind the Task *ReplayFiles*: a page to send, or, asked by a person, a page to try. */
export const replayFilesInput = z.union([
  z.strictObject({
    execution: z.string().min(1),
    requestedBy: replayInput.shape.requestedBy,
    why: replayInput.shape.why,
    selection: replaySelection,
  }),
  z.strictObject({
    dryRun: z.literal(true),
    selection: replaySelection,
    /** Files with greater ids are tried. */
    afterId: z.number().int().nonnegative(),
  }),
])

/** Output of the Task *ReplayFiles*. */
export interface ReplayFilesOutcome {
  readonly replayId: number
  /** In all pages so far. */
  readonly filesSent: number
  readonly isDone: boolean
}

/** One place where a file is wrong; see `Issue` in `db/schema.ts`. */
export const issue = z.object({ path: z.string(), rule: z.string(), expected: z.string(), found: z.string() })

/** Why a file was refused; see `Reason` in `db/schema.ts`. */
export const reason = z.object({
  kind: z.string(),
  contractVersion: z.number().nullable(),
  issues: z.array(issue).readonly(),
  issuesOmitted: z.number().int().nonnegative(),
})

/** Answer to a dry run of a replay: one page of it. */
export const replayTrial = z.object({
  files: z.array(
    z.object({
      key: z.string(),
      /** What would become of it now. */
      outcome: z.enum(['loaded', 'poison', 'vanished']),
      reason: reason.nullable(),
    }),
  ),
  /** Where the next page begins; null after the last. */
  nextAfterId: z.number().nullable(),
})

export type ReplayTrial = z.infer<typeof replayTrial>

/** Input of the Task *Sweep*: it needs nothing but its environment. */
export const sweepInput = z.strictObject({})

/** Output of the Task *Sweep*. */
export interface SweepOutcome {
  /** When it does not answer, nothing else was looked at: the outage has its own alarm. */
  readonly isDatabaseUp: boolean
  /** Batches whose execution was started, since whoever committed them could not. */
  readonly batchesStarted: number
  /** Name of the drain that was started for dead letters nobody takes care of. */
  readonly drainStarted: string | null
  readonly partitionsCreated: number
  /** Refused files whose copy is overdue. */
  readonly poisonFileIds: readonly number[]
}

/** The secret of the database, as RDS writes it. */
export const databaseSecret = z.object({
  host: z.string().min(1),
  port: z.coerce.number().int().positive(),
  dbname: z.string().min(1),
  username: z.string().min(1),
  password: z.string().min(1),
})
