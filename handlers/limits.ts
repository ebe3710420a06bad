/** Every number that handlers obey, with its unit, its reason, and what goes wrong on either side of it. */

/** Bytes of the largest file that is loaded. Larger needs more memory than the function has; smaller refuses honest files. */
export const OBJECT_BYTES_MAX = 32 * 1024 * 1024

/** Deepest nesting of arrays and objects. Beyond, recursive readers overflow their stack; real documents stay below 20. */
export const DEPTH_MAX = 100

/** Parallel GETs of one batch. Fewer leave the network idle; more only queue in the socket pool and raise memory. */
export const OBJECT_READS_IN_FLIGHT = 16

/** Milliseconds for one GET with its body. Shorter cuts off 32 MiB on a slow day; longer eats the function's time. */
export const OBJECT_READ_TIMEOUT_MS = 15_000

/** Milliseconds to open a connection to an AWS service. They are near: what takes longer will not come. */
export const AWS_CONNECT_TIMEOUT_MS = 2_000

/** Parallel copies of quarantined files. A batch holds a hundred at most, and nobody waits for them. */
export const COPIES_IN_FLIGHT = 8

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

/** Bytes of files read and held at once. 100 files of 32 MiB are 3 GiB; twice the largest file keeps every file loadable. */
export const SLICE_BYTES_MAX = 2 * OBJECT_BYTES_MAX

/** Attempts of a file alone that never ended before it is taken for what ended them. Fewer would blame a bad minute. */
export const ATTEMPTS_MAX = 3

/** Milliseconds that must be left to begin a slice: enough for its GETs and its transaction. The rest comes again. */
export const SLICE_TIME_MIN_MS = 15_000

/** Milliseconds kept back at the end of an invocation, to answer: what is cut off then is named, and not a crash. */
export const ANSWER_TIME_MS = 2_000
