/** What travels in the messages of a program. */
import { s3Message, s3Record } from '../support/s3-events.ts'
import type { ObjectVersion } from './bucket.ts'
import type { StrangeBody } from './program.ts'

/** A version and the size that its event says, if it says one. */
export interface Announcement {
  readonly object: ObjectVersion
  readonly sizeBytes: number | undefined
}

export function creationBody(announced: readonly Announcement[]): string {
  return s3Message(
    ...announced.map(({ object: { bucket, key, versionId, sequencer }, sizeBytes }) => {
      const record = s3Record({ bucket, key, versionId, sequencer })
      // A size that is not known is not in the JSON text at all.
      const { size: _, ...object } = record.s3.object
      return { ...record, s3: { ...record.s3, object: { ...object, size: sizeBytes } } }
    }),
  )
}

/** Bodies that name no object version, and whether a person must look at them. */
export function strangeBody(
  kind: StrangeBody,
  bucket: string,
): { readonly body: string; readonly isUnreadable: boolean } {
  const record = s3Record({ bucket, versionId: undefined })
  switch (kind) {
    case 'test event':
      return {
        body: JSON.stringify({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: bucket }),
        isUnreadable: false,
      }
    case 'half of a JSON text':
      return { body: s3Message(record).slice(0, 100), isUnreadable: true }
    case 'event of a deletion':
      return { body: s3Message({ ...record, eventName: 'ObjectRemoved:Delete' }), isUnreadable: true }
    case 'event without a version':
      return { body: s3Message(record), isUnreadable: true }
  }
}
