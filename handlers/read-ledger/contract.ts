/** What the command line may ask of *read-ledger*, and the shape of each answer. */
import { z } from 'zod'
import { issue, reason } from '../contract.ts'
import { InvalidInput } from '../errors.ts'

/** Versions of one key in an answer. With 20 issues each of 400 characters at most, far below Lambda's 6 MB. */
export const VERSIONS_MAX = 20

/** Erasures of one key in an answer: whoever repeats one makes another. About 1.2 KB each at worst. */
export const ERASURES_MAX = 10

/** Refused files in an answer: about 2 KB each at worst. */
export const REFUSALS_MAX = 500

/** Batches in an answer: about 400 bytes each. */
export const BATCHES_MAX = 1_000

/** Runs of dbt in an answer: a kilobyte each, and 8 KB when fifty models failed. */
export const TRANSFORMS_MAX = 100

/** A Date, which is text in ISO 8601 on its way. */
const instant = z.coerce.date()
const amount = z.number().int().nonnegative()

const ledgerQuestion = z.discriminatedUnion('question', [
  z.object({ question: z.literal('landing') }),
  z.object({ question: z.literal('status'), since: instant }),
  z.object({
    question: z.literal('explain'),
    /** The landing bucket when left out. */
    bucket: z.string().min(1).optional(),
    /** Of an object, or of its copy or reason under `quarantine/`. */
    key: z.string().min(1),
  }),
  z.object({
    question: z.literal('quarantine'),
    source: z.string().optional(),
    kind: z.string().optional(),
    since: instant.optional(),
    limit: z.number().int().min(1).max(REFUSALS_MAX),
  }),
  z.object({ question: z.literal('transforms'), limit: z.number().int().min(1).max(TRANSFORMS_MAX) }),
  z.object({ question: z.literal('batches'), limit: z.number().int().min(1).max(BATCHES_MAX) }),
])

/** Where files land: the bucket, and the prefix of each source that is deployed. */
const landing = z.object({
  bucket: z.string(),
  sources: z.array(z.object({ name: z.string(), prefix: z.string() })),
})

const delays = z.object({ files: amount, p50Seconds: z.number(), p99Seconds: z.number() })

/** `states` are those of `ingest.current_files`; each object version of the ledger is in exactly one. */
const sourceStatus = z.object({
  /** Null: no source claims the keys. */
  source: z.string().nullable(),
  states: z.object({
    loaded: amount,
    superseded: amount,
    quarantined: amount,
    poison: amount,
    vanished: amount,
    attempted: amount,
    dead_letter: amount,
    erased: amount,
  }),
  lastLoadedAt: instant.nullable(),
  /** Within how many hours another file is to be expected; null when no source that is deployed has the name. */
  expectedEveryHours: amount.nullable(),
  /** From S3's event to the commit, of files received since the asked instant; null when there were none. */
  putToCommit: delays.nullable(),
})

/** The newest first. */
const transforms = z.object({
  /** How far the marts are; `completeUntil` is null when no run ever succeeded. */
  marts: z.object({ completeUntil: instant.nullable(), filesBehind: amount }),
  runs: z.array(
    z.object({
      id: z.number(),
      /** Null when a person ran dbt by hand. */
      executionName: z.string().nullable(),
      buildId: z.string().nullable(),
      startedAt: instant,
      endedAt: instant.nullable(),
      /** Null while it runs. */
      outcome: z.enum(['succeeded', 'failed', 'lost']).nullable(),
      sources: z.array(z.string()),
      nodes: amount,
      failures: z
        .array(z.object({ name: z.string(), kind: z.string(), status: z.string(), rows: amount.nullable() }))
        .readonly(),
    }),
  ),
})

/** The last time that the bucket was held against the ledger. */
const reconciliation = z.object({
  executionName: z.string(),
  /** Null when the clock was it. */
  requestedBy: z.string().nullable(),
  prefix: z.string(),
  startedAt: instant,
  /** Null while it runs, and when it failed. */
  endedAt: instant.nullable(),
  listed: amount,
  ignored: amount,
  missing: amount,
  missingExamples: z.array(z.string()),
})

const status = z.object({
  since: instant,
  sources: z.array(sourceStatus),
  putToCommit: delays.nullable(),
  batches: z.object({
    count: amount,
    least: amount.nullable(),
    median: amount.nullable(),
    most: amount.nullable(),
  }),
  unstarted: z.object({ count: amount, oldestReceivedAt: instant.nullable() }),
  unreadableMessages: z.object({ count: amount, recent: amount }),
  transforms,
  /** Null when there was none. */
  reconciliation: reconciliation.nullable(),
})

const versionOfKey = z.object({
  fileId: z.number(),
  versionId: z.string(),
  state: z.string(),
  source: z.string().nullable(),
  sequencer: z.string().nullable(),
  sizeBytes: amount.nullable(),
  eventAt: instant.nullable(),
  records: amount.nullable(),
  contractVersion: z.number().nullable(),
  reason: reason.nullable(),
  loadedOn: z.string().nullable(),
  /** When its document was dropped by age, with its day; null while it is there. */
  documentDroppedAt: instant.nullable(),
  erasedAt: instant.nullable(),
  attemptsBegun: amount,
  attemptsEnded: amount,
  quarantineKey: z.string().nullable(),
  quarantineNote: z.string().nullable(),
  /** The execution that takes care of it, or last did, since it was a dead letter. */
  claimedBy: z.string().nullable(),
  firstSeenAt: instant,
  changedAt: instant,
  /** The batch that decided the state; null when none did. */
  batch: z
    .object({
      id: z.number(),
      requestId: z.string(),
      receivedAt: instant,
      committedAt: instant.nullable(),
      executionName: z.string().nullable(),
      startedAt: instant.nullable(),
    })
    .nullable(),
  /** The last replay that it was part of. */
  replay: z.object({ id: z.number(), requestedBy: z.string(), why: z.string(), createdAt: instant }).nullable(),
})

/** The newest versions first. `key` is the object's own, whichever was asked for. */
const explain = z.object({
  bucket: z.string(),
  /** Where this stage's files land. */
  landingBucket: z.string(),
  key: z.string(),
  /** Who answers for the files of the source that claims the key; null when none does. */
  owner: z.string().nullable(),
  versions: z.array(versionOfKey),
  versionsOmitted: amount,
  /** The newest first. */
  erasures: z.array(
    z.object({
      requestedBy: z.string(),
      why: z.string(),
      begunAt: instant,
      /** Null when it was cut short, and is to be run again. */
      completedAt: instant.nullable(),
    }),
  ),
})

const refusal = z.object({
  fileId: z.number(),
  key: z.string(),
  versionId: z.string(),
  source: z.string().nullable(),
  status: z.string(),
  kind: z.string(),
  firstIssue: issue.nullable(),
  otherIssues: amount,
  quarantineKey: z.string().nullable(),
  quarantineNote: z.string().nullable(),
  changedAt: instant,
})

/** The newest first. `byKind` counts all that match, `files` holds those within the limit. */
const quarantine = z.object({
  files: z.array(refusal),
  byKind: z.array(z.object({ kind: z.string(), count: amount })),
})

const batches = z.object({
  batches: z.array(
    z.object({
      id: z.number(),
      requestId: z.string(),
      receivedAt: instant,
      messages: amount,
      files: amount,
      bytes: amount,
      loaded: amount,
      poison: amount,
      vanished: amount,
      repeated: amount,
      milliseconds: z.number().nullable(),
      executionName: z.string().nullable(),
      startedAt: instant.nullable(),
    }),
  ),
})

/** The shape of each answer, by question. */
export const ledgerAnswers = { landing, status, explain, quarantine, batches, transforms }

export type LedgerQuestion = z.infer<typeof ledgerQuestion>

/** @throws {InvalidInput} for what is no question, or one of another release */
export function parseQuestion(input: unknown): LedgerQuestion {
  const result = ledgerQuestion.safeParse(input)
  if (result.success) return result.data
  const wrong = result.error.issues.map((issue) => `${issue.path.join('.') || 'question'}: ${issue.message}`).join('; ')
  throw new InvalidInput(`the question: ${wrong}. Ask with the command line of the release that is deployed.`)
}

export type LedgerAnswer<Name extends keyof typeof ledgerAnswers> = z.infer<(typeof ledgerAnswers)[Name]>

export type VersionOfKey = LedgerAnswer<'explain'>['versions'][number]
