/** Messages that no poller has, in the order in which they came: SQS promises none, and no other would be better. */
export class MessageQueue {
  #messages: number[] = []
  /** Those before it are taken. */
  #head = 0

  get length(): number {
    return this.#messages.length - this.#head
  }

  add(message: number): void {
    this.#messages.push(message)
  }

  /** Takes as many as there are, up to a limit. */
  take(limit: number): number[] {
    const taken = this.#messages.slice(this.#head, this.#head + limit)
    this.#head += taken.length
    // Taking from the front of a long array costs its length; cutting it now and then costs little.
    if (this.#head > 4_096 && this.#head * 2 > this.#messages.length) {
      this.#messages = this.#messages.slice(this.#head)
      this.#head = 0
    }
    return taken
  }
}
