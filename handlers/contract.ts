/**
 * The shapes of what crosses a boundary within Sluice: the state machine's input, the input and output of each Task, the
 * secret. Messages of S3 are read in `s3-event.ts`.
 */
import { z } from 'zod'
import { fileStatus } from '../db/schema.ts'

/** Input of `pipeline` for a batch that brought something new. Its bytes are kept in the batch row. */
export const batchInput = z.object({
  trigger: z.literal('batch'),
  batchId: z.number().int().positive(),
  /** Ledger ids of the files to quarantine; at most one batch's worth. */
  poisonFileIds: z.array(z.number().int().positive()),
  /** Whether this batch took the transform's lease, and its execution is to run dbt. */
  transform: z.boolean(),
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

/** Start of keys that can be loaded. */
const inputPrefix = z.string().startsWith('input/').max(1_024)

/** Input of `pipeline` that has the bucket held against the ledger: by the clock, or for a person. */
export const reconcileInput = z.strictObject({
  trigger: z.literal('reconcile'),
  /** ARN of the person; left out by the clock. */
  requestedBy: z.string().min(1).optional(),
  /** Everything if left out. */
  prefix: inputPrefix.optional(),
  /** To load what lies there from before: versions of any age. */
  isBackfill: z.boolean().optional(),
  why: z.string().min(1).max(1_000).optional(),
})

export type ReconcileRequest = z.infer<typeof reconcileInput>

/** Input of `pipeline`, by what it is started for. */
export const pipelineInput = z.discriminatedUnion('trigger', [
  batchInput,
  z.strictObject({
    trigger: z.literal('dead-letters'),
    /** Name of the drain that this execution goes on with; its own when it begins one. */
    drain: z.string().min(1).optional(),
  }),
  reconcileInput,
  replayInput,
  z.strictObject({ trigger: z.literal('sweep') }),
  z.strictObject({
    trigger: z.literal('transform'),
    /** ARN of the person, or of the execution that holds the lease: runs at once. Without it, only when it is due. */
    requestedBy: z.string().startsWith('arn:').optional(),
  }),
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

/** Where the listing of a bucket's versions goes on: after this version of this key. */
const listingPosition = z.object({ keyMarker: z.string(), versionIdMarker: z.string() })

export type ListingPosition = z.infer<typeof listingPosition>

/** Input of the function behind the Task *ReconcileFiles*: pages to load, or, asked by a person, pages to count. */
export const reconcileFilesInput = z.union([
  z.strictObject({ execution: z.string().min(1), request: reconcileInput }),
  z.strictObject({
    dryRun: z.literal(true),
    prefix: inputPrefix,
    /** Null at the start. */
    after: listingPosition.nullable(),
  }),
])

const amount = z.number().int().nonnegative()

/** Object versions of a listing, held against the ledger. */
export const comparison = z.object({
  /** Ignored, too young to be missed, known, and missing. */
  listed: amount,
  /** By their names: Sluice loads none such. */
  ignored: amount,
  ignoredExamples: z.array(z.string()),
  /** Without a row in the ledger. */
  missing: amount,
  missingExamples: z.array(z.string()),
})

export type Comparison = z.infer<typeof comparison>

/** Output of the Task *ReconcileFiles*: of all pages so far. */
export const reconcileFilesOutcome = comparison.extend({
  reconciliationId: z.number(),
  prefix: z.string(),
  isDone: z.boolean(),
  /** Whether this Task has sent as many files as are to be sent at once. */
  isFull: z.boolean(),
})

export type ReconcileFilesOutcome = z.infer<typeof reconcileFilesOutcome>

/** Answer to a dry run of a backfill: some pages of it. */
export const backfillTrial = comparison.extend({
  /** Where the next pages begin; null after the last. */
  next: listingPosition.nullable(),
})

export type BackfillTrial = z.infer<typeof backfillTrial>

/** Input of the Tasks *ClaimTransform* and *RequireAnotherRuns*. */
export const claimTransformInput = z.strictObject({
  /** Name of the execution. */
  execution: z.string().min(1),
  /** Whether it is a failure when no transform runs. */
  requireAnotherRuns: z.boolean(),
})

/** Output of the Tasks *ClaimTransform* and *RequireAnotherRuns*. */
export interface ClaimTransformOutcome {
  /** Whether this execution is to run the transform now. */
  readonly isClaimed: boolean
  /** Of the transform that runs instead, or that ended a moment ago. */
  readonly otherBuildId: string | null
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
  /** Days whose documents were older than the stage keeps them. */
  readonly partitionsDropped: number
  /** Days that are that old and still there: the marts do not have all of them yet, or somebody holds them. */
  readonly partitionsOverdue: number
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
