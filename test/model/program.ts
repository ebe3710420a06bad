/** Programs: what happens to a bucket, its queue and its functions, as plain data that fast-check makes and shrinks. */
import fc from 'fast-check'
import { type Fault, ingestFaults, upkeepFaults } from './faults.ts'

/** How S3 writes a sequencer. Lengths differ; the shorter one counts as padded with zeros on the right. */
export type Spelling = 'plain' | 'without trailing zeros' | 'longer' | 'lower case'

/** Numbers that point at keys, contents, versions or messages count round: every number means one, if there is any. */
export type Step =
  | {
      readonly do: 'put'
      readonly count: number
      readonly key: number
      readonly content: number
      readonly spelling: Spelling
      /** Whether the event says the size. Without it, a slice takes two files. */
      readonly isSized: boolean
      /** Up to so many records travel in one message. */
      readonly recordsPerMessage: number
    }
  /** S3 tells of versions once more, in one new message. */
  | { readonly do: 'repeat'; readonly versions: readonly number[] }
  | { readonly do: 'send'; readonly body: StrangeBody; readonly count: number }
  | { readonly do: 'delete'; readonly version: number }
  | { readonly do: 'delete marker'; readonly key: number }
  /** SQS gives messages up and moves them to the dead-letter queue. */
  | { readonly do: 'give up'; readonly from: number; readonly take: number }
  /** A day passes: leases and claims end, the sweep takes for forgotten what is not done, files get another load day. */
  | { readonly do: 'midnight' }
  | Round

export type StrangeBody = 'test event' | 'half of a JSON text' | 'event of a deletion' | 'event without a version'

/** What happens at the same time: up to three functions ingest, versions are deleted, executions quarantine, drain, sweep, replay. */
export interface Round {
  readonly do: 'round'
  readonly batches: readonly Batch[]
  /** Whether each batch is taken from the whole queue: then messages are delivered to several functions at once. */
  readonly isOverlapping: boolean
  readonly deletions: readonly { readonly version: number; readonly afterReads: number }[]
  readonly quarantine: 'none' | 'new executions' | 'all executions again'
  readonly upkeep: readonly Upkeep[]
}

/** What sets files going again. Both replays are of all files with that outcome. */
export interface Upkeep {
  readonly do: 'drain' | 'sweep' | 'replay refused' | 'replay loaded'
  readonly faults: readonly Fault[]
}

export interface Batch {
  /** Position in the queue of the first message. */
  readonly from: number
  readonly take: number
  readonly isBackward: boolean
  /** After so many uses of the database the function's time is up, and it begins no more slices; null for time enough. */
  readonly time: number | null
  readonly fate: 'answered' | 'answer lost' | 'never run'
  readonly faults: readonly Fault[]
}

const put = fc.record({
  do: fc.constant('put' as const),
  count: fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 1, max: 4 }) }, fc.integer({ min: 1, max: 40 })),
  key: fc.nat(5),
  content: fc.nat(99),
  spelling: fc.constantFrom<Spelling[]>('plain', 'without trailing zeros', 'longer', 'lower case'),
  isSized: fc.boolean(),
  recordsPerMessage: fc.integer({ min: 1, max: 3 }),
})

const batch = fc.record({
  from: fc.nat(20),
  take: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 100 })),
  isBackward: fc.boolean(),
  time: fc.option(fc.integer({ min: 1, max: 6 }), { freq: 3 }),
  fate: fc.oneof(
    { weight: 4, arbitrary: fc.constant('answered' as const) },
    { weight: 1, arbitrary: fc.constantFrom('answer lost' as const, 'never run' as const) },
  ),
  faults: ingestFaults,
})

const upkeep = fc.record({
  do: fc.constantFrom<Upkeep['do'][]>('drain', 'sweep', 'replay refused', 'replay loaded'),
  faults: upkeepFaults,
})

const round = fc.record({
  do: fc.constant('round' as const),
  batches: fc.array(batch, { minLength: 1, maxLength: 3 }),
  isOverlapping: fc.boolean(),
  deletions: fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    {
      weight: 1,
      arbitrary: fc.array(fc.record({ version: fc.nat(99), afterReads: fc.nat(9) }), { minLength: 1, maxLength: 3 }),
    },
  ),
  quarantine: fc.constantFrom('none' as const, 'new executions' as const, 'all executions again' as const),
  upkeep: fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(upkeep, { minLength: 1, maxLength: 2 }) },
  ),
})

/** The whole queue goes to two functions at once, in opposite orders. */
const whole: Batch = { from: 0, take: 100, isBackward: false, time: null, fate: 'answered', faults: [] }
const race: fc.Arbitrary<Round> = fc.constant({
  do: 'round',
  batches: [whole, { ...whole, isBackward: true }],
  isOverlapping: true,
  deletions: [],
  quarantine: 'none',
  upkeep: [],
})

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 7, arbitrary: put },
  { weight: 7, arbitrary: round },
  { weight: 2, arbitrary: race },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('repeat' as const),
      versions: fc.array(fc.nat(99), { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      body: fc.constantFrom<StrangeBody[]>(
        'test event',
        'half of a JSON text',
        'event of a deletion',
        'event without a version',
      ),
      count: fc.integer({ min: 1, max: 5 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), version: fc.nat(99) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete marker' as const), key: fc.nat(5) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('give up' as const),
      from: fc.nat(20),
      take: fc.integer({ min: 1, max: 12 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'midnight' as const }) },
)

export interface Program {
  readonly steps: readonly Step[]
}

/** Programs of up to 20 steps. After the last one, the queue is delivered until it is empty. */
export const programs: fc.Arbitrary<Program> = fc
  .array(step, { minLength: 1, maxLength: 20, size: 'max' })
  .map((steps) => ({ steps, [fc.toStringMethod]: () => `\n${steps.map(describe).join('\n')}\n` }))

/** A step on one line. What it came to is in the trace of the run. */
function describe({ do: what, ...rest }: Step): string {
  return `  ${what}: ${JSON.stringify(rest).replaceAll(/[{}"]/g, '').replaceAll(/[:,]/g, '$& ')}`
}
