/** Every way through the state machine, each with the results of its Tasks that lead there. */
import type {
  ClaimDeadLettersOutcome,
  ClaimTransformOutcome,
  CollectDeadLettersOutcome,
  ReconcileFilesOutcome,
  SweepOutcome,
} from '../../handlers/contract.ts'
import type { Results } from './run.ts'

export interface Route {
  readonly name: string
  /** Name of a file in `workflows/examples/`. */
  readonly example: string
  readonly results: Results
  /** When the execution fails: where, and with what results it is redriven. */
  readonly redriven?: { readonly at: string; readonly results: Results }
  /** The states entered, the inner ones of a Map included. */
  readonly states: readonly string[]
}

/** Returns one value after the other, then the last again. */
export function inTurn<T>(...values: readonly T[]): () => T | undefined {
  let turn = 0
  return () => values[Math.min(turn++, values.length - 1)]
}

/** An error as a function reports it. */
export function failed(name: string): Error {
  return Object.assign(new Error(name), { name })
}

export const fail = (name: string) => (): never => {
  throw failed(name)
}

const notice = { subject: 'Sluice: 2 dead letters, none left', text: '2 files' }
const page = (...fileIds: number[]): { Payload: ClaimDeadLettersOutcome } => ({ Payload: { fileIds, notice: null } })
const nothingMore: { Payload: ClaimDeadLettersOutcome } = { Payload: { fileIds: [], notice } }
const nothing: { Payload: ClaimDeadLettersOutcome } = { Payload: { fileIds: [], notice: null } }
const collected = (isDrained: boolean): { Payload: CollectDeadLettersOutcome } => ({
  Payload: { collected: 10, isDrained },
})
const quarantined = { Payload: { quarantined: 2, withoutCopy: 0, unchanged: 0 } }
const claimed = (isClaimed: boolean): { Payload: ClaimTransformOutcome } => ({
  Payload: { isClaimed, otherBuildId: null },
})
const anotherRuns: { Payload: ClaimTransformOutcome } = { Payload: { isClaimed: false, otherBuildId: 'transform:2' } }
const built = { Build: { Id: 'transform:1' } }
const swept = (...poisonFileIds: number[]): { Payload: SweepOutcome } => ({
  Payload: {
    ...{ isDatabaseUp: true, batchesStarted: 0, drainStarted: null, poisonFileIds },
    ...{ partitionsCreated: 0, partitionsDropped: 0, partitionsOverdue: 0 },
  },
})

const reconciled = (isDone: boolean, isFull = false): { Payload: ReconcileFilesOutcome } => ({
  Payload: {
    ...{ reconciliationId: 1, prefix: 'input/', listed: 5_000, ignored: 1, ignoredExamples: ['input/readme.txt'] },
    ...{ missing: isFull ? 5_000 : 0, missingExamples: [], isDone, isFull },
  },
})

/** A drain that finds one page of two files, both of which load. */
const drain = (): Results => ({
  CollectDeadLetters: collected(true),
  ClaimDeadLetters: inTurn(page(3, 5), nothingMore),
  LoadFile: { Payload: { fileId: 3, outcome: 'loaded' } },
  PublishNotice: { MessageId: 'message-1' },
  RequireNoneRemain: nothing,
  ContinueElsewhere: { ExecutionArn: 'arn:aws:states:eu-central-1:123456789012:execution:pipeline:run-2' },
})

const collecting = ['ChooseRoute', 'CollectDeadLetters', 'IsQueueDrained']
const claiming = ['ClaimDeadLetters', 'WhatWasClaimed']
const loading = ['LoadDeadLetters', 'LoadFile', 'LoadFile', 'IsHistoryLong']
const telling = ['PublishNotice', 'RequireNoneRemain']

/** Fresh ones at each call, since some results come in turn. */
export const routes = (): Route[] => [
  {
    name: 'a batch with poison goes through QuarantineFiles',
    example: 'batch-with-poison',
    results: { QuarantineFiles: quarantined },
    states: ['ChooseRoute', 'QuarantineFiles', 'Done'],
  },
  {
    name: 'a batch without poison has exactly two transitions',
    example: 'batch-without-poison',
    results: {},
    states: ['ChooseRoute', 'Done'],
  },
  {
    name: 'a batch that took the lease runs dbt, and pays one transition for it',
    example: 'batch-with-transform',
    results: { RunDbt: built },
    states: ['ChooseRoute', 'RunDbt', 'Done'],
  },
  {
    name: 'with poison and the lease, neither quarantine nor dbt waits for the other',
    example: 'batch-with-poison-and-transform',
    results: { StartTransform: { ExecutionArn: 'run-2' }, QuarantineFiles: quarantined, RunDbt: built },
    states: ['ChooseRoute', 'StartTransform', 'QuarantineFiles', 'Done'],
  },
  {
    name: 'the clock runs dbt when it is due',
    example: 'transform-when-due',
    results: { ClaimTransform: claimed(true), RunDbt: built },
    states: ['ChooseRoute', 'ClaimTransform', 'IsTransformDue', 'RunDbt', 'Done'],
  },
  {
    name: 'the clock does nothing when dbt ran a while ago',
    example: 'transform-when-due',
    results: { ClaimTransform: claimed(false) },
    states: ['ChooseRoute', 'ClaimTransform', 'IsTransformDue', 'Done'],
  },
  {
    name: 'a person has dbt run at once',
    example: 'transform-now',
    results: { RunDbt: built },
    states: ['ChooseRoute', 'RunDbt', 'Done'],
  },
  {
    name: 'a second transform beside one that runs ends well and builds nothing',
    example: 'transform-now',
    results: { RunDbt: fail('CodeBuild.AccountLimitExceededException'), RequireAnotherRuns: anotherRuns },
    states: ['ChooseRoute', 'RunDbt', 'RequireAnotherRuns', 'Done'],
  },
  {
    name: 'a build that is refused and has no other beside it fails where it is looked for',
    example: 'transform-now',
    results: {
      RunDbt: fail('CodeBuild.AccountLimitExceededException'),
      RequireAnotherRuns: fail('TransformNotStarted'),
    },
    redriven: { at: 'RequireAnotherRuns', results: { RequireAnotherRuns: anotherRuns } },
    states: ['ChooseRoute', 'RunDbt', 'RequireAnotherRuns', 'RequireAnotherRuns', 'Done'],
  },
  {
    name: 'a broken model fails RunDbt, and a redrive runs dbt again',
    example: 'batch-with-transform',
    results: { RunDbt: fail('States.TaskFailed') },
    redriven: { at: 'RunDbt', results: { RunDbt: built } },
    states: ['ChooseRoute', 'RunDbt', 'RunDbt', 'Done'],
  },
  {
    name: 'a drain loads page by page, tells, and ends when nothing remains',
    example: 'dead-letters',
    results: { ...drain(), ClaimDeadLetters: inTurn(page(3, 5), page(7, 9), nothingMore) },
    states: [
      ...collecting,
      ...[...claiming, ...loading],
      ...[...claiming, ...loading],
      ...claiming,
      ...telling,
      'IsAnyClaimedAgain',
      'Done',
    ],
  },
  {
    name: 'a drain collects until the queue is empty',
    example: 'dead-letters',
    results: { ...drain(), CollectDeadLetters: inTurn(collected(false), collected(true)), ClaimDeadLetters: nothing },
    states: [...collecting, 'CollectDeadLetters', 'IsQueueDrained', ...claiming, 'Done'],
  },
  {
    name: 'a drain with nothing to do tells nobody',
    example: 'dead-letters',
    results: { ...drain(), ClaimDeadLetters: nothing },
    states: [...collecting, ...claiming, 'Done'],
  },
  {
    name: 'a file that cannot be reached does not stop its neighbour; what remains fails the drain, and a redrive loads it',
    example: 'dead-letters',
    results: {
      ...drain(),
      LoadFile: ({ Payload }: { Payload: { fileId: number } }) => {
        if (Payload.fileId === 3) throw failed('LoadFailed')
        return { Payload: { fileId: Payload.fileId, outcome: 'loaded' } }
      },
      RequireNoneRemain: fail('DeadLettersRemain'),
    },
    redriven: {
      at: 'RequireNoneRemain',
      results: { ...drain(), RequireNoneRemain: inTurn(page(3), nothing), ClaimDeadLetters: nothingMore },
    },
    states: [
      ...collecting,
      ...[...claiming, 'LoadDeadLetters', 'LoadFile', 'StillDead', 'LoadFile', 'IsHistoryLong'],
      ...[...claiming, ...telling],
      // Redriven.
      ...['RequireNoneRemain', 'IsAnyClaimedAgain', 'LoadDeadLetters', 'LoadFile', 'IsHistoryLong'],
      ...[...claiming, ...telling, 'IsAnyClaimedAgain', 'Done'],
    ],
  },
  {
    name: 'a drain of many pages goes on elsewhere after 15',
    example: 'dead-letters',
    results: { ...drain(), ClaimDeadLetters: page(3, 5) },
    states: [
      ...collecting,
      ...Array.from({ length: 15 }, () => [...claiming, ...loading]).flat(),
      ...['ContinueElsewhere', 'Done'],
    ],
  },
  {
    name: 'a replay sends page by page, with a pause after each',
    example: 'replay',
    results: {
      ReplayFiles: inTurn(
        { Payload: { replayId: 1, filesSent: 500, isDone: false } },
        { Payload: { replayId: 1, filesSent: 620, isDone: true } },
      ),
    },
    states: ['ChooseRoute', 'ReplayFiles', 'IsReplaySent', 'WaitForNextPage', 'ReplayFiles', 'IsReplaySent', 'Done'],
  },
  {
    name: 'a reconciliation goes on with the listing until its end',
    example: 'reconcile',
    results: { ReconcileFiles: inTurn(reconciled(false), reconciled(true)) },
    states: ['ChooseRoute', 'ReconcileFiles', 'IsReconciled', 'ReconcileFiles', 'IsReconciled', 'Done'],
  },
  {
    name: 'a reconciliation for a person is one Task where there is little to list',
    example: 'reconcile-for-a-person',
    results: { ReconcileFiles: reconciled(true) },
    states: ['ChooseRoute', 'ReconcileFiles', 'IsReconciled', 'Done'],
  },
  {
    name: 'a backfill pauses when it has sent as much as is loaded meanwhile',
    example: 'backfill',
    results: { ReconcileFiles: inTurn(reconciled(false, true), reconciled(false), reconciled(true, true)) },
    states: [
      ...['ChooseRoute', 'ReconcileFiles', 'IsReconciled', 'WaitForListedFiles'],
      ...['ReconcileFiles', 'IsReconciled', 'ReconcileFiles', 'IsReconciled', 'Done'],
    ],
  },
  {
    name: 'a sweep that finds nothing ends',
    example: 'sweep',
    results: { Sweep: swept() },
    states: ['ChooseRoute', 'Sweep', 'IsPoisonForgotten', 'Done'],
  },
  {
    name: 'a sweep that finds refused files without a copy has them copied',
    example: 'sweep',
    results: { Sweep: swept(3, 5), QuarantineFiles: quarantined },
    states: ['ChooseRoute', 'Sweep', 'IsPoisonForgotten', 'QuarantineFiles', 'Done'],
  },
  {
    name: 'an unknown trigger fails',
    example: 'unknown-trigger',
    results: {},
    states: ['ChooseRoute', 'UnknownTrigger'],
  },
]
