/** Phase one of a batch: from a message to what became of each object version that it names. */
import type { S3Client } from '@aws-sdk/client-s3'
import type { SQSRecord } from 'aws-lambda'
import type { LimitFunction } from 'p-limit'
import type { UnreadableMessage } from '../../db/messages.ts'
import { type CreatedObject, parseMessage } from '../contract.ts'
import { OBJECT_BYTES_MAX } from '../limits.ts'
import { findSource, sources } from '../sources/registry.ts'
import type { Source } from '../sources/source.ts'
import { judgeDocument, judgeEmpty, judgeTooLarge, judgeUnclaimed, type Verdict } from './judge.ts'
import { readObject } from './read-object.ts'

/** An object version and what is to be written about it. */
export interface ReadFile {
  readonly object: CreatedObject
  readonly source: Source | undefined
  readonly lastModifiedAt: Date | null
  readonly verdict: Verdict | { readonly status: 'vanished' }
}

export interface ReadMessage {
  readonly messageId: string
  readonly files: readonly ReadFile[]
  readonly unreadable?: UnreadableMessage
}

export interface ObjectReader {
  readonly s3: S3Client
  /** Bounds the GETs that run at once, over all messages of a batch. */
  readonly limit: LimitFunction
}

/**
 * Reads every object version that a message names.
 *
 * @throws whatever S3 throws: only then does the message return to the queue
 */
export async function readMessage(reader: ObjectReader, message: SQSRecord): Promise<ReadMessage> {
  const { messageId, body } = message
  const content = parseMessage(body)
  if ('unreadable' in content) {
    return { messageId, files: [], unreadable: { messageId, body, reason: content.unreadable } }
  }
  const files = await Promise.all(content.objects.map((object) => readFile(reader, object)))
  return { messageId, files }
}

async function readFile({ s3, limit }: ObjectReader, object: CreatedObject): Promise<ReadFile> {
  const source = findSource(object.key)
  const judged = (verdict: ReadFile['verdict'], lastModifiedAt: Date | null = null): ReadFile => ({
    object,
    source,
    lastModifiedAt,
    verdict,
  })
  if (source === undefined) return judged(judgeUnclaimed(sources.map(({ prefix }) => prefix)))
  // The event knows the size: what is empty or too large is judged without being read.
  if (object.sizeBytes === 0) return judged(judgeEmpty(source))
  if (object.sizeBytes !== null && object.sizeBytes > OBJECT_BYTES_MAX) {
    return judged(judgeTooLarge(source, object.sizeBytes))
  }

  const read = await limit(() => readObject(s3, object))
  switch (read.outcome) {
    case 'vanished':
      return judged({ status: 'vanished' })
    case 'too-large':
      return judged(judgeTooLarge(source, read.sizeBytes))
    case 'read':
      return judged(judgeDocument(source, read.bytes), read.lastModifiedAt)
  }
}
