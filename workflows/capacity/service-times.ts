/** How long the steps of a batch take. */
import { OBJECT_READS_IN_FLIGHT } from '../../handlers/limits.ts'

export interface ServiceTimes {
  /** Of a batch, beside its files: to be invoked, and the round trips of its transaction. */
  readonly fixedSeconds: number
  /** CPU of the function, of which it has one: GET, decode, parse, check. */
  readonly functionSecondsPerFile: number
  /** S3's own time for a GET, during which others are under way. */
  readonly getSeconds: number
  /** One core of the writer database: ledger row, document, compression. */
  readonly databaseSecondsPerFile: number
  /** After the commit: start the execution and note it. It holds the function, not the file. */
  readonly followUpSeconds: number
}

/**
 * Measured with 3,000 orders of 50 KB (47.7 to 52.5) in batches of 100, from S3 through SQS into PostgreSQL 17 on two cores, as
 * CPU time of each process: 1.3 ms a file in the function, 1.45 ms in the database, which compresses with pglz. Where it can
 * lz4 (PostgreSQL 15 of Debian) it was 0.58 ms: figures for a database that cannot are on the safe side. A GET of the AWS SDK
 * is 0.5 ms, a ledger row 0.1 ms, whatever the file holds; the rest goes by the kilobyte.
 */
const GET_CPU_MS = 0.5
const READ_CPU_MS_PER_KILOBYTE = (1.3 - GET_CPU_MS) / 50
const LEDGER_MS = 0.1
const INSERT_MS_PER_KILOBYTE = (1.45 - LEDGER_MS) / 50

/** What cannot be measured without AWS, on the slow side of what is usual within a region. */
const GET_LATENCY_MS = 30
/** A dozen round trips to the database at 1 to 2 ms, and the way into the function. */
const FIXED_MS = 40
/** StartExecution, and one more round trip. */
const FOLLOW_UP_MS = 50

/** On AWS, for files of a size. A function has one vCPU from 1,769 MB on, and a share of it below. */
export function serviceTimesOf(kilobytes: number, memoryMegabytes: number): ServiceTimes {
  const share = Math.min(1, memoryMegabytes / 1_769)
  return {
    fixedSeconds: FIXED_MS / 1_000,
    functionSecondsPerFile: (GET_CPU_MS + READ_CPU_MS_PER_KILOBYTE * kilobytes) / share / 1_000,
    getSeconds: GET_LATENCY_MS / 1_000,
    databaseSecondsPerFile: (LEDGER_MS + INSERT_MS_PER_KILOBYTE * kilobytes) / 1_000,
    followUpSeconds: FOLLOW_UP_MS / 1_000,
  }
}

/** To read the files of a batch: by its CPU, or by waiting for S3, whichever is longer. */
export const readSeconds = (service: ServiceTimes, files: number): number =>
  Math.max(service.functionSecondsPerFile * files, service.getSeconds * Math.ceil(files / OBJECT_READS_IN_FLIGHT))

/** A batch from invocation to answer, when no other is inserted at the same time. */
export const batchSeconds = (service: ServiceTimes, files: number): number =>
  service.fixedSeconds + readSeconds(service, files) + service.databaseSecondsPerFile * files + service.followUpSeconds
