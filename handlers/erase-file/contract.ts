/** What the command line may ask of *erase-file*, and the shape of each answer. */
import { z } from 'zod'
import { InvalidInput } from '../errors.ts'

const amount = z.number().int().nonnegative()

/** Of an object that Sluice loads. What lies elsewhere in the bucket is not Sluice's to delete. */
const key = z.string().startsWith('input/', 'must begin with input/').max(1_024)

const request = z.union([
  z.strictObject({ preview: z.literal(true), key }),
  z.strictObject({
    key,
    /** ARN of the caller. */
    requestedBy: z.string().min(1),
    why: z.string().min(1).max(1_000),
  }),
])

export type ErasureRequest = z.infer<typeof request>

const removed = {
  /** Versions of the object, delete markers included. */
  versions: amount,
  /** Versions of its copies and reasons under `quarantine/`. */
  copies: amount,
  documents: amount,
  /** Rows of the ledger that say what was found. */
  reasons: amount,
  /** Unreadable messages that name the key. */
  messages: amount,
  /** Rows of the ledger to be marked as erased. */
  files: amount,
}

/** What there is to remove. */
export const erasurePreview = z.object({
  bucket: z.string(),
  ...removed,
  /** Erasures of the key that were begun and not completed. */
  cutShort: amount,
})

export type ErasurePreview = z.infer<typeof erasurePreview>

/** What was removed. */
export const erasureOutcome = z.object({
  erasureId: amount,
  bucket: z.string(),
  ...removed,
  /** Versions that were put, or written to the ledger, while it ran: they are not erased. */
  cameIn: amount,
  /** Refused files whose copy may have been in the making: one that ends after this is still there. */
  copiesPending: amount,
})

export type ErasureOutcome = z.infer<typeof erasureOutcome>

/** @throws {InvalidInput} for what is no request */
export function parseErasureRequest(input: unknown): ErasureRequest {
  const result = request.safeParse(input)
  if (result.success) return result.data
  const keyOnly = z.object({ key }).safeParse(input)
  const [issue] = (keyOnly.success ? result.error : keyOnly.error).issues
  throw new InvalidInput(`the request: ${issue?.path.join('.')} ${issue?.message}`.trim())
}
