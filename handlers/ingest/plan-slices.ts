/** Cuts a batch of messages into slices, each one transaction, so that no file can hold up or take down the others. Pure. */
import type { SQSRecord } from 'aws-lambda'
import type { KnownVersion } from '../../db/attempts.ts'
import { identityOf } from '../../db/files.ts'
import { ATTEMPTS_MAX, OBJECT_BYTES_MAX, SLICE_BYTES_MAX } from '../limits.ts'
import { type CreatedObject, combine, type MessageContent, parseMessage } from '../s3-event.ts'

export interface ReceivedMessage {
  readonly messageId: string
  readonly body: string
  readonly content: MessageContent
  /** Whether it came before: something went wrong then, and one of its files may be why. */
  readonly isRedelivered: boolean
}

export interface Slice {
  /**
   * `together`: files that came for the first time. `alone`: one file that came before; its attempt is noted before it is
   * touched. `crashed`: files that have ended the process too often, and are not touched again.
   */
  readonly kind: 'together' | 'alone' | 'crashed'
  readonly objects: readonly CreatedObject[]
  /** The messages whose first object is in this slice, or, in the first slice, that name none. */
  readonly messages: readonly ReceivedMessage[]
}

export function receiveMessage({ messageId, body, attributes }: SQSRecord): ReceivedMessage {
  return { messageId, body, content: parseMessage(body), isRedelivered: Number(attributes.ApproximateReceiveCount) > 1 }
}

export const objectsOf = ({ content }: ReceivedMessage): readonly CreatedObject[] => content.objects

/**
 * Plans the slices of a batch in the order in which they are to run: first-time files together, at most 64 MiB at a time;
 * files that crashed too often; then each redelivered file alone, those with attempts that never ended last. Object
 * versions that are settled are left out. Each version is in one slice, however many messages name it, with all that they
 * say of it.
 *
 * @param known what the ledger says of redelivered versions, by their identity
 */
export function planSlices(
  messages: readonly ReceivedMessage[],
  known: ReadonlyMap<string, Pick<KnownVersion, 'isSettled' | 'openAttempts'>>,
): Slice[] {
  const firstTime = new Map<string, CreatedObject>()
  const redelivered = new Map<string, CreatedObject>()
  for (const message of messages) {
    for (const object of objectsOf(message)) {
      const known = message.isRedelivered ? redelivered : firstTime
      known.set(identityOf(object), combine(known.get(identityOf(object)), object))
    }
  }
  for (const [identity, object] of redelivered) {
    redelivered.set(identity, combine(firstTime.get(identity), object))
    firstTime.delete(identity)
  }

  const openAttempts = (object: CreatedObject) => known.get(identityOf(object))?.openAttempts ?? 0
  const toDo = [...redelivered].filter(([identity]) => !known.get(identity)?.isSettled).map(([, object]) => object)
  const crashed = toDo.filter((object) => openAttempts(object) >= ATTEMPTS_MAX)
  const alone = toDo
    .filter((object) => openAttempts(object) < ATTEMPTS_MAX)
    .toSorted((a, b) => openAttempts(a) - openAttempts(b))

  const planned: Omit<Slice, 'messages'>[] = [
    ...cutByBytes([...firstTime.values()]).map((objects) => ({ kind: 'together' as const, objects })),
    ...(crashed.length > 0 ? [{ kind: 'crashed' as const, objects: crashed }] : []),
    ...alone.map((object) => ({ kind: 'alone' as const, objects: [object] })),
  ]
  return assignMessages(planned, messages)
}

/** Bytes that a file will hold in memory. What is empty or too large is judged unread; an unknown size may be any. */
function bytesToRead({ sizeBytes }: CreatedObject): number {
  if (sizeBytes === null) return OBJECT_BYTES_MAX
  return sizeBytes > OBJECT_BYTES_MAX ? 0 : sizeBytes
}

function cutByBytes(objects: readonly CreatedObject[]): CreatedObject[][] {
  const slices: CreatedObject[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const object of objects) {
    bytes += bytesToRead(object)
    if (bytes > SLICE_BYTES_MAX) {
      slices.push([])
      bytes = bytesToRead(object)
    }
    slices.at(-1)?.push(object)
  }
  return slices
}

/**
 * Counts each message to one slice. One that names no object, or has something unreadable and nothing left to do, goes to
 * the first, which is made if need be.
 */
function assignMessages(planned: readonly Omit<Slice, 'messages'>[], messages: readonly ReceivedMessage[]): Slice[] {
  const sliceOf = new Map(planned.flatMap(({ objects }, index) => objects.map((object) => [identityOf(object), index])))
  const assigned = Map.groupBy(messages, (message) => {
    const [first] = objectsOf(message)
    if (first === undefined) return 0
    return sliceOf.get(identityOf(first)) ?? (message.content.unreadable === undefined ? undefined : 0)
  })
  if (planned.length === 0 && !assigned.has(0)) return []
  const slices = planned.length > 0 ? planned : [{ kind: 'together' as const, objects: [] }]
  return slices.map((slice, index) => ({ ...slice, messages: assigned.get(index) ?? [] }))
}
