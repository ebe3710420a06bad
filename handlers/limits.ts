/** Every number that handlers obey, with its unit, its reason, and what goes wrong on either side of it. */

/** Bytes of the largest file that is loaded. Larger needs more memory than the function has; smaller refuses honest files. */
export const OBJECT_BYTES_MAX = 32 * 1024 * 1024

/** Deepest nesting of arrays and objects. Beyond, recursive readers overflow their stack; real documents stay below 20. */
export const DEPTH_MAX = 100

/**
 * Records of one file. More make a document that nobody can take apart in one query, and a check that holds up its
 * neighbours; fewer refuse a busy day's export, which producers had better cut than Sluice refuse.
 */
export const RECORDS_MAX = 50_000

/** Parallel GETs of one batch. Fewer leave the network idle; more only queue in the socket pool and raise memory. */
export const OBJECT_READS_IN_FLIGHT = 16

/** Milliseconds for one GET with its body. Shorter cuts off 32 MiB on a slow day; longer eats the function's time. */
export const OBJECT_READ_TIMEOUT_MS = 15_000

/** Milliseconds to open a connection to an AWS service. They are near: what takes longer will not come. */
export const AWS_CONNECT_TIMEOUT_MS = 2_000

/** Milliseconds for an AWS service to answer a small question. Asking again beats waiting for longer. */
export const AWS_ANSWER_TIMEOUT_MS = 10_000

/**
 * Milliseconds for one copy within S3, up to 5 GiB. Shorter would never get a large one done, however often it is tried; longer
 * than the function's 50 s, and a copy that hangs is a crash without a name.
 */
export const COPY_TIMEOUT_MS = 40_000

/** Parallel copies of quarantined files. A batch holds a hundred at most, and nobody waits for them. */
export const COPIES_IN_FLIGHT = 8

/**
 * Bytes that S3 copies in one request. A refused file beyond is quarantined without a copy, or its Task would fail for ever.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 */
export const COPY_BYTES_MAX = 5 * 1024 ** 3

/** Issues kept of one file. Enough to see the pattern; a file with thousands must not make a reason of megabytes. */
export const ISSUES_PER_FILE = 20

/** Characters kept of any text in a reason, so that a reason never carries the payload away. */
export const REASON_TEXT_LENGTH = 100

/** Milliseconds to start the execution of a batch. It is already committed: the row asks for the start until it is done. */
export const EXECUTION_START_TIMEOUT_MS = 3_000

/**
 * Waits in milliseconds before a transaction is tried again on a new connection. A redelivery costs 7 minutes, a restart of
 * the database's proxy or a failed-over connection a second: three tries, 1.5 s of waiting, are worth it.
 */
export const RECONNECT_WAITS_MS: readonly number[] = [300, 1_200]

/**
 * Waits in milliseconds before a password that was refused is read and tried again. A rotation changes it in the database
 * and in the secret one after the other, seconds apart: 15 s in all outlast that, and leave most of an invocation's time.
 */
export const PASSWORD_WAITS_MS: readonly number[] = [0, 500, 1_500, 4_000, 9_000]

/** Bytes of files read and held at once. 100 files of 32 MiB are 3 GiB; twice the largest file keeps every file loadable. */
export const SLICE_BYTES_MAX = 2 * OBJECT_BYTES_MAX

/** Attempts of a file alone that never ended before it is taken for what ended them. Fewer would blame a bad minute. */
export const ATTEMPTS_MAX = 3

/** Milliseconds that must be left to begin a slice: enough for its GETs and its transaction. The rest comes again. */
export const SLICE_TIME_MIN_MS = 15_000

/** Milliseconds kept back at the end of an invocation, to answer: what is cut off then is named, and not a crash. */
export const ANSWER_TIME_MS = 2_000

/** Milliseconds that must be left to receive more dead letters: a receive, a transaction and a delete. */
export const COLLECT_TIME_MIN_MS = 10_000

/** Dead letters that a drain claims at once. An iteration of the state machine's Map writes 7 to 27 events of 25,000. */
export const CLAIM_PAGE = 50

/**
 * Seconds for which a claim holds. As long as a page takes with every retry (ten times 575 s), or a second drain would
 * load the same files, which is harmless and twice the work; a lost drain's files wait this long for the next.
 */
export const CLAIM_LEASE_SECONDS = 6_000

/** Minutes after which the sweep takes a batch's execution, or a poison file's copy, for forgotten. Sooner is a race. */
export const SWEEP_AFTER_MINUTES = 5

/** Days after which nobody starts a batch's execution any more: it could not be redriven, and its files are long known. */
export const SWEEP_UNTIL_DAYS = 14

/** Rows of each kind that one sweep takes. The next comes in 15 minutes. */
export const SWEEP_PAGE = 100

/** Partitions that one sweep drops. One a day is due; more come after a retention was made shorter, 40 an hour. */
export const PARTITION_DROPS_MAX = 10

/**
 * How often a sweep tries to drop a partition that somebody holds, and the pause between. Each try waits for 2 s, so that 8 s
 * of the function's 50 are spent on it at most; the next sweep tries again.
 */
export const PARTITION_DROP_TRIES = 3
export const PARTITION_DROP_WAIT_MS = 500

/** Parallel deletions of an erasure. One would take minutes for a key of thousands of versions; S3 slows down far more than these. */
export const DELETES_IN_FLIGHT = 16

/** Milliseconds for which a build that has ended is taken for the one that kept another from starting. */
export const BUILD_RECENT_MS = 5 * 60_000

/** Milliseconds between two looks at a build: the first comes soon, since a laptop's build takes a second, AWS's a minute. */
export const BUILD_POLL_MS = { first: 500, longest: 5_000 }

/** Milliseconds kept back of the wait for a build: enough for one more answer, and to read its log. */
export const BUILD_ANSWER_TIME_MS = 20_000

/** Milliseconds for which a refused call may be a role that was made just before and is not known everywhere. */
export const ACCESS_SETTLES_MS = 60_000

/** How often, with what pause, and for how long in all a log is read whose last lines come late. */
export const LOG_LATE_READS = 5
export const LOG_READ_PAUSE_MS = 1_000
export const LOG_READ_LIMIT_MS = 8_000

/** Files that a replay sends in one Task. 125,000 files are 250 pages; an execution's history has room for 2,500. */
export const REPLAY_PAGE = 500

/**
 * Milliseconds after which a version without a row in the ledger is missed: its event comes within seconds, its message may
 * come back a few times. Sooner would call a bad quarter of an hour lost files; queues that are longer have their own alarm.
 */
export const MISSED_AFTER_MS = 60 * 60_000

/**
 * Files found in a listing that one Task sends, give or take its last page of 1,000. It waits 100 s after them, so that they go
 * at the rate of a replay, 50 a second. More at once would pile up in the queue, fewer are more events of the execution.
 */
export const LISTED_FILES_SENT = 5_000

/** Milliseconds that must be left to begin a page of a listing: to list it, look it up and send it. The next Task goes on. */
export const LIST_TIME_MIN_MS = 20_000

/** Keys that are kept as examples of many. Enough to recognize a producer. */
export const EXAMPLES_KEPT = 5

/** Files that a dry run tries in one call. They are held at once: 20 of 32 MiB are 640 MiB of the function's memory. */
export const TRIAL_PAGE = 20

/** Seconds from put to commit that are promised for 99 of 100 files at the normal load. Held by guardrails, alarm and status. */
export const PUT_TO_COMMIT_P99_MAX_SECONDS = 120
