/** What can go wrong at the boundaries of a function: plain data, which fast-check makes and shrinks like the rest of a program. */
import fc from 'fast-check'

/**
 * Where a function meets the world, how often it may do so until the fault comes, and what can go wrong there. `statement` is
 * everything that is asked of the database, `commit` its COMMITs alone. What dies is the process: nothing after it runs, nobody
 * answers, memory and connections are gone.
 */
const BOUNDARIES = {
  get: {
    within: 6,
    faults: [
      'answers 503',
      'hangs',
      'is slow',
      'body cut off',
      'answers 403',
      'names no bucket',
      'dies before it',
      'out of time',
    ],
  },
  secret: { within: 2, faults: ['answers 503', 'hangs', 'dies before it'] },
  /** `nth` is how often the secret still says the old password. */
  password: { within: 3, faults: ['rotated'] },
  connect: { within: 2, faults: ['refused', 'dies before it'] },
  statement: {
    within: 16,
    faults: [
      'connection lost',
      'answer lost',
      'backend ended',
      'deadlock',
      'serialization failure',
      'disk full',
      'statement timeout',
      'hangs',
      'dies before it',
      'dies after it',
    ],
  },
  commit: {
    within: 3,
    faults: ['connection lost', 'answer lost', 'serialization failure', 'disk full', 'dies before it', 'dies after it'],
  },
  start: { within: 2, faults: ['throttled', 'hangs', 'answer lost', 'dies before it', 'dies after it'] },
  queue: { within: 3, faults: ['answers 503', 'answer lost', 'dies before it', 'dies after it'] },
} as const

export type Boundary = keyof typeof BOUNDARIES
export type FaultKind = (typeof BOUNDARIES)[Boundary]['faults'][number]

export interface Fault {
  readonly on: Boundary
  /** At the so-manieth use of the boundary by one invocation, from 1. One that is not used so often goes well. */
  readonly nth: number
  readonly kind: FaultKind
}

/** SQLSTATEs that the server raises for a statement, whatever it was. https://www.postgresql.org/docs/17/errcodes-appendix.html */
export const SQLSTATES: Partial<Record<FaultKind, string>> = {
  deadlock: '40P01',
  'serialization failure': '40001',
  'disk full': '53100',
  'statement timeout': '57014',
}

/** How often a lost connection, and how often a refused password is made up for within an invocation: `handlers/limits.ts`. */
const RIDDEN_OUT = { connections: 2, passwords: 4 }

const isOfConnection = ({ on, kind }: Fault): boolean =>
  on === 'connect' || (/statement|commit/.test(on) && /^(connection lost|answer lost|backend ended)$/.test(kind))

/** Whether an invocation must do all that it was asked in spite of these, as long as it has time. */
export function areRiddenOut(faults: readonly Fault[]): boolean {
  const others = faults.filter((fault) => !isOfConnection(fault) && !/start|password/.test(fault.on))
  return (
    others.every(({ kind }) => kind === 'is slow') &&
    faults.filter(isOfConnection).length <= RIDDEN_OUT.connections &&
    faults.every(({ on, nth }) => on !== 'password' || nth <= RIDDEN_OUT.passwords)
  )
}

/** Faults that may cost the file that is read, and no other. */
export const isOfOneRead = ({ on, kind }: Fault): boolean => on === 'get' && !/dies|out of time/.test(kind)

/** Any of the faults at some boundaries. */
function faultsAt(...boundaries: readonly Boundary[]): fc.Arbitrary<readonly Fault[]> {
  const one = fc.oneof(
    ...boundaries.map((on) =>
      fc.record({
        on: fc.constant(on),
        // Most invocations are short.
        nth: fc.oneof(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: BOUNDARIES[on].within })),
        kind: fc.constantFrom<FaultKind[]>(...BOUNDARIES[on].faults),
      }),
    ),
  )
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 2, arbitrary: fc.array(one, { minLength: 1, maxLength: 1 }) },
    { weight: 2, arbitrary: fc.array(one, { minLength: 2, maxLength: 6 }) },
  )
}

/** What an ingest function meets. Statements are named twice, since most of it is they. */
export const ingestFaults = faultsAt(
  'get',
  'get',
  'secret',
  'password',
  'connect',
  'statement',
  'statement',
  'commit',
  'start',
)
/** What drains, sweeps and replays meet. */
export const upkeepFaults = faultsAt('get', 'password', 'connect', 'statement', 'commit', 'start', 'queue')
