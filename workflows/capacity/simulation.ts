/**
 * The way of files through the pipeline, event by event: put, delivered to the queue, gathered by a poller, read by a
 * function, inserted by the writer, committed. Pure, and the same for the same seed.
 *
 * Left out: files that are refused, redelivered files being loaded each alone, pollers becoming fewer again after a peak,
 * cold starts, and whatever else asks the database.
 */
import { EventQueue } from './event-queue.ts'
import { Mapping, type MappingSettings } from './mapping.ts'
import { exponential, seededRandom } from './random.ts'
import { readSeconds, type ServiceTimes } from './service-times.ts'
import { type Summary, summarize } from './statistics.ts'
import { Writer } from './writer.ts'

export interface SimulationSettings {
  /** When files are put, in seconds and in order. */
  readonly arrivals: Float64Array
  readonly seed: number
  readonly mapping: MappingSettings
  readonly service: ServiceTimes
  /** Of the writer database. */
  readonly cores: number
  /** From put to queue, on average, exponentially distributed; 0: at once. */
  readonly deliverySeconds: number
  readonly visibilityTimeoutSeconds: number
  /** Share of the messages that are not committed by the batch they are in, and come again; below 1. */
  readonly failingShare: number
}

export interface Simulated {
  /** Files of each batch, in the order in which they were handed over. */
  readonly batchSizes: readonly number[]
  /** Of each file: the batch that committed it, by its place among the sizes, and when. */
  readonly batchOf: Int32Array
  readonly committedAt: Float64Array
  readonly batches: Summary
  /** From put to commit, of all files. */
  readonly lagSeconds: Summary
  /** The share of time, until the last put, that functions and that the writer's cores were busy: 1 is all of them, always. */
  readonly functionUtilisation: number
  readonly writerUtilisation: number
  readonly connectionsMax: number
  /** Messages in the queue at the last put. */
  readonly backlog: number
  /** Whether files come faster than they are loaded: the queue grew by more than a batch for each function. */
  readonly isUnstable: boolean
}

const NOT_COMMITTED = -1

export function simulate(settings: SimulationSettings): Simulated {
  const { arrivals, service, visibilityTimeoutSeconds, failingShare, deliverySeconds, cores } = settings
  const random = seededRandom(settings.seed)
  const events = new EventQueue()
  const writer = new Writer(events, cores)
  const end = arrivals.at(-1) ?? 0
  const batchOf = new Int32Array(arrivals.length).fill(NOT_COMMITTED)
  const committedAt = new Float64Array(arrivals.length)
  const batchSizes: number[] = []
  let busySeconds = 0

  const mapping: Mapping = new Mapping(events, settings.mapping, random, (files, answer) => {
    const startedAt = events.now
    const batch = batchSizes.push(files.length) - 1
    const after = (seconds: number, action: () => void) => events.schedule(events.now + seconds, action)
    after(service.fixedSeconds + readSeconds(service, files.length), () =>
      writer.insert(service.databaseSecondsPerFile * files.length, () => {
        for (const file of files) {
          if (failingShare > 0 && random() < failingShare) {
            after(visibilityTimeoutSeconds - (events.now - startedAt), () => mapping.deliver(file))
          } else {
            if (batchOf[file] !== NOT_COMMITTED) throw new Error(`File ${file} was committed twice.`)
            batchOf[file] = batch
            committedAt[file] = events.now
          }
        }
        after(service.followUpSeconds, () => {
          busySeconds += Math.min(events.now, end) - Math.min(startedAt, end)
          answer()
        })
      }),
    )
  })

  const put = (file: number): void => {
    const at = arrivals[file]
    if (at === undefined) return
    events.schedule(at, () => {
      if (deliverySeconds === 0) mapping.deliver(file)
      else events.schedule(at + exponential(random, deliverySeconds), () => mapping.deliver(file))
      put(file + 1)
    })
  }
  put(0)

  const waiting: number[] = []
  let writerSeconds = 0
  events.schedule(end / 2, () => waiting.push(mapping.waiting))
  events.schedule(end, () => {
    waiting.push(mapping.waiting)
    writerSeconds = writer.busySeconds
  })
  events.run()

  const [halfway = 0, backlog = 0] = waiting
  const { batchSize, maximumConcurrency } = settings.mapping
  const shareOf = (seconds: number, servers: number) => (end === 0 ? 0 : seconds / (servers * end))
  return {
    ...{ batchSizes, batchOf, committedAt, backlog, connectionsMax: mapping.runningMax },
    batches: summarize(batchSizes),
    lagSeconds: summarize(committedAt.map((at, file) => at - (arrivals[file] ?? 0))),
    functionUtilisation: shareOf(busySeconds, maximumConcurrency),
    writerUtilisation: shareOf(writerSeconds, cores),
    isUnstable: backlog > halfway + batchSize * maximumConcurrency,
  }
}
