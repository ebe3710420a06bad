// Ends what this process started, however this process ends: on its own, by Ctrl-C, by a signal, by an uncaught error.
// Only SIGKILL gets past this; what it leaves behind is swept at the next start (see instance.ts and postgres.ts).

import { constants } from 'node:os'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const endings = new Set<() => void>()
let isListening = false

/**
 * Runs `end` when this process exits, newest first. It must be synchronous: nothing else runs while a process exits.
 * Call what it returns once the thing has been ended in the ordinary way.
 */
export function endWithThisProcess(end: () => void): () => void {
  listen()
  endings.add(end)
  return () => {
    endings.delete(end)
  }
}

function listen() {
  if (isListening) return
  isListening = true
  process.on('exit', () => {
    for (const end of [...endings].reverse()) {
      try {
        end()
      } catch (error) {
        console.error(error) // and go on: the others still have to be ended
      }
    }
  })
  // Without a listener a signal ends Node without an 'exit' event.
  for (const signal of SIGNALS) process.on(signal, () => process.exit(128 + constants.signals[signal]))
}
