/** Questions about messages that named no object version. */
import type { Session } from './client.ts'
import { messages } from './schema.ts'

export type UnreadableMessage = Pick<typeof messages.$inferInsert, 'messageId' | 'body' | 'reason'>

/** Keeps messages for a person to look at. A message delivered again is kept once. */
export async function keepMessages(
  session: Session,
  batchId: number,
  unreadable: readonly UnreadableMessage[],
): Promise<void> {
  if (unreadable.length === 0) return
  await session
    .insert(messages)
    .values(unreadable.map((message) => ({ ...message, batchId })))
    .onConflictDoNothing()
}
