/** The time of invocations: it passes when a fault says so, and a wait of seconds takes milliseconds. */
import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers/promises'
import { lives, never } from './life.ts'

/** How much faster waits pass. Faster and a server has no moment to notice that a connection was lost; slower takes minutes. */
const HURRY = 100

/**
 * Has the waits and deadlines of invocations go by their own time instead of the real one, in this whole process. Whoever
 * belongs to no invocation notices nothing.
 */
export function hurryTime(): void {
  const timeout = AbortSignal.timeout.bind(AbortSignal)
  AbortSignal.timeout = (milliseconds) => lives.getStore()?.timeout(milliseconds) ?? timeout(milliseconds)

  const wait = timers.setTimeout
  timers.setTimeout = async (milliseconds, value, options) => {
    const life = lives.getStore()
    if (life === undefined) return await wait(milliseconds, value, options)
    if (life.isDead) return await never()
    life.pass(milliseconds ?? 0)
    return await wait((milliseconds ?? 0) / HURRY, value, options)
  }
  syncBuiltinESMExports()
}
