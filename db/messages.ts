/** Questions about messages that named no object version. */
import type { Session } from './client.ts'
import { messages } from './schema.ts'

export type UnreadableMessage = Pick<typeof messages.$inferInsert, 'messageId' | 'body' | 'reason'>

/**
 * Keeps messages for a person to look at. A message delivered again is kept once.
 *
 * @param batchId null for messages that were collected from the dead-letter queue
 */
export async function keepMessages(
  session: Session,
  batchId: number | null,
  unreadable: readonly UnreadableMessage[],
): Promise<void> {
  if (unreadable.length === 0) return
  await session
    .insert(messages)
    // PostgreSQL refuses NUL; SQS does too, but one such message must not send back all that is received beside it.
    .values(
      unreadable.map(({ body, ...message }) => ({ ...message, body: body.replaceAll('\0', '\u{2400}'), batchId })),
    )
    .onConflictDoNothing()
}
