/** What is to happen when: a priority queue of actions by their time, and the clock that they move. */

interface Entry {
  readonly at: number
  /** Of two at the same time the one that was asked for first comes first, so that a seed repeats. */
  readonly order: number
  readonly action: () => void
}

export class EventQueue {
  /** Seconds. */
  now = 0
  readonly #heap: Entry[] = []
  #order = 0

  schedule(at: number, action: () => void): void {
    if (!(at >= this.now)) throw new Error(`An event at ${at} s lies before the present, ${this.now} s.`)
    const entry = { at, order: this.#order++, action }
    let place = this.#heap.length
    while (place > 0) {
      const parent = (place - 1) >> 1
      const above = this.#heap[parent] as Entry
      if (!isBefore(entry, above)) break
      this.#heap[place] = above
      place = parent
    }
    this.#heap[place] = entry
  }

  /** Runs until nothing is left to happen. */
  run(): void {
    for (let entry = this.#take(); entry !== undefined; entry = this.#take()) {
      this.now = entry.at
      entry.action()
    }
  }

  #take(): Entry | undefined {
    const first = this.#heap[0]
    const last = this.#heap.pop()
    if (first === undefined || last === undefined || first === last) return first
    const length = this.#heap.length
    let place = 0
    for (let child = 1; child < length; child = 2 * place + 1) {
      const right = child + 1
      if (right < length && isBefore(this.#heap[right] as Entry, this.#heap[child] as Entry)) child = right
      const below = this.#heap[child] as Entry
      if (!isBefore(below, last)) break
      this.#heap[place] = below
      place = child
    }
    this.#heap[place] = last
    return first
  }
}

const isBefore = (one: Entry, other: Entry): boolean =>
  one.at < other.at || (one.at === other.at && one.order < other.order)
