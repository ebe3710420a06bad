/**
 * The messages of the queues: what S3 says of the objects that were created, what a replay says beside it, and the same of
 * versions that were found in a listing.
 */
import { z } from 'zod'

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
  /** Null for a version that was found in a listing. */
  readonly sequencer: string | null
  readonly sizeBytes: number | null
  /** When S3 says it was created. */
  readonly eventAt: Date | null
  /** Set when a person asked for it again. */
  readonly replay?: Replay | undefined
}

/** All that two messages say of one version: a listing's lacks the sequencer, an event's the replay. */
export function combine(one: CreatedObject | undefined, other: CreatedObject): CreatedObject {
  if (one === undefined) return other
  const event = other.sequencer === null && one.sequencer !== null ? one : other
  const replay = other.replay ?? one.replay
  return { ...event, ...(replay && { replay }) }
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

/**
 * The message that makes the ingest function load a version: the S3 event as it was, and the replay if it is one. Of a version
 * from a listing, the event as far as it can be known: without a sequencer.
 */
export function writeMessage(object: CreatedObject, again?: Replay): string {
  const { bucket, key, versionId, sequencer, sizeBytes, eventAt } = object
  const record = {
    eventVersion: '2.1',
    eventSource: 'aws:s3',
    eventName: 'ObjectCreated:Put',
    // The event's own time, so that days do not move.
    eventTime: (eventAt ?? new Date()).toISOString(),
    s3: {
      bucket: { name: bucket },
      object: {
        key: encodeKey(key),
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
const encodeKey = (key: string): string => encodeURIComponent(key).replaceAll('%20', '+')

/** How a message may spell a key: as it is, within JSON, or encoded, with or without its slashes. */
export const spellingsOf = (key: string): string[] => [
  ...new Set([key, JSON.stringify(key).slice(1, -1), encodeKey(key), encodeKey(key).replaceAll('%2F', '/')]),
]

function decodeKey(encoded: string, context: z.RefinementCtx): string {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '))
  } catch {
    context.addIssue({ code: 'custom', message: 'is not URL-encoded UTF-8' })
    return z.NEVER
  }
}
