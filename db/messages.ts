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
  // Two functions with the same messages in another order would each wait for the other's key.
  const inOneOrder = unreadable.toSorted((a, b) => (a.messageId < b.messageId ? -1 : 1))
  await session
    .insert(messages)
    // PostgreSQL refuses NUL; SQS does too, but one such message must not send back all that is received beside it.
    .values(
      inOneOrder.map(({ body, ...message }) => ({ ...message, body: body.replaceAll('\0', '\u{2400}'), batchId })),
    )
    .onConflictDoNothing()
}
