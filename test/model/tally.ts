/** What happened in all programs of a run, by kind. */
import type { Fault } from './faults.ts'

export class Tally {
  /** Times, by what happened. */
  readonly counts = new Map<string, number>()

  readonly meet = ({ on, kind }: Fault): void => this.add(`${on}: ${kind}`)

  add(what: string, times = 1): void {
    if (times > 0) this.counts.set(what, (this.counts.get(what) ?? 0) + times)
  }
}
