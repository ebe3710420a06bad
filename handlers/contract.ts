/** The shapes of everything that crosses a boundary: S3's messages, the state machine's input, the input of each Task. */
import { z } from 'zod'

/**
 * One record of an S3 event notification. Unknown fields are ignored and minor versions taken as they come; another major
 * version, or an event that created nothing, is refused.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
 */
const s3Record = z.object({
  eventVersion: z.string().regex(/^2\./, 'is not of major version 2'),
  eventName: z.string().startsWith('ObjectCreated:', 'is not the creation of an object'),
  eventTime: z.iso.datetime({ offset: true }).transform((time) => new Date(time)),
  s3: z.object({
    bucket: z.object({ name: z.string().min(1) }),
    object: z.object({
      key: z.string().min(1).transform(decodeKey),
      size: z.number().int().nonnegative().optional(),
      versionId: z.string({ error: 'is missing: the bucket must be versioned' }).min(1),
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
  readonly eventAt: Date
}

const s3Notification = z.object({ Records: z.array(s3Record).min(1) }).transform(({ Records }) =>
  Records.map(
    (record): CreatedObject => ({
      bucket: record.s3.bucket.name,
      key: record.s3.object.key,
      versionId: record.s3.object.versionId,
      sequencer: record.s3.object.sequencer ?? null,
      sizeBytes: record.s3.object.size ?? null,
      eventAt: record.eventTime,
    }),
  ),
)

/** S3 sends this when notifications are set up; it names no object. */
const s3TestEvent = z.object({ Event: z.literal('s3:TestEvent') })

/** What a message of the ingest queue says: the objects it names, or why none can be read from it. */
export type MessageContent = { readonly objects: readonly CreatedObject[] } | { readonly unreadable: string }

/** Reads the body of a message. Never throws: a body that is no S3 event is data. */
export function parseMessage(body: string): MessageContent {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return { unreadable: 'the body is not JSON' }
  }
  if (s3TestEvent.safeParse(value).success) return { objects: [] }
  const result = s3Notification.safeParse(value)
  if (result.success) return { objects: result.data }
  const [issue] = result.error.issues
  return { unreadable: `not an S3 event: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim() }
}

/** Keys come encoded as in an HTML form: a space is a plus sign. */
function decodeKey(encoded: string, context: z.RefinementCtx): string {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '))
  } catch {
    context.addIssue({ code: 'custom', message: 'is not URL-encoded' })
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

/** The secret of the database, as RDS writes it. */
export const databaseSecret = z.object({
  host: z.string().min(1),
  port: z.coerce.number().int().positive(),
  dbname: z.string().min(1),
  username: z.string().min(1),
  password: z.string().min(1),
})
