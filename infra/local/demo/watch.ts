/** After the demo: says what becomes of every file that somebody drops, and what people are told. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type AccountedVersion, listVersionsChangedAfter } from '../../../db/accounting.ts'
import type { Deployment } from './deployment.ts'
import { describeNotice, type Inbox } from './inbox.ts'

const POLL_INTERVAL_MS = 500

/** Milliseconds to look back: longer than any transaction, since a change carries the time at which its own began. */
const LOOK_BACK_MS = 60_000

/** Prints a line for each version that is loaded, quarantined or found vanished from now on, and each notice. Never returns. */
export async function watchFiles({ database, bucket }: Deployment, inbox: Inbox): Promise<never> {
  const seen = new Set<string>()
  const look = async () => {
    const changed = await listVersionsChangedAfter(database, bucket, new Date(Date.now() - LOOK_BACK_MS))
    const unseen = changed.filter(({ versionId, state }) => !seen.has(`${versionId} ${state}`))
    for (const { versionId, state } of unseen) seen.add(`${versionId} ${state}`)
    return unseen
  }
  await look()
  // What was told before is over: alarms that waited for the first files, the routes that were walked.
  await inbox()
  while (true) {
    for (const version of await look()) {
      const line = describe(version)
      if (line !== undefined) say(line)
    }
    for (const notice of await inbox()) say(describeNotice(notice))
    await sleep(POLL_INTERVAL_MS)
  }
}

const say = (line: string): void => console.log(`${new Date().toTimeString().slice(0, 8)}  ${line}`)

function describe({ key, state, reason, quarantineKey }: AccountedVersion): string | undefined {
  switch (state) {
    case 'loaded':
    case 'vanished':
      return `${key} ${state}`
    case 'quarantined': {
      const [issue] = reason?.issues ?? []
      const why = issue === undefined ? '' : `, ${issue.path}: expected ${issue.expected}, found ${issue.found}`
      return `${key} quarantined as ${quarantineKey ?? 'no copy'}: ${reason?.kind}${why}`
    }
    default:
      // On its way: another line will follow.
      return undefined
  }
}
