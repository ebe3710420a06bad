/**
 * As much of PostgreSQL's protocol as it takes to tell one statement from the next.
 * https://www.postgresql.org/docs/17/protocol-message-formats.html
 */

/** Cuts a stream into messages. A client's first one has no type before its length. */
export class MessageReader {
  #rest: Buffer = Buffer.alloc(0)
  #typeBytes: 0 | 1

  constructor(from: 'startup' | 'messages') {
    this.#typeBytes = from === 'startup' ? 0 : 1
  }

  /** The messages that are complete by now, each with type and length. */
  read(chunk: Buffer): Buffer[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const messages: Buffer[] = []
    while (this.#rest.length >= this.#typeBytes + 4) {
      const length = this.#typeBytes + this.#rest.readInt32BE(this.#typeBytes)
      if (this.#rest.length < length) break
      messages.push(this.#rest.subarray(0, length))
      this.#rest = this.#rest.subarray(length)
      this.#typeBytes = 1
    }
    return messages
  }
}

/** The text of a simple query, or of one that is parsed, in lower case; undefined for other messages. */
export function textOf(message: Buffer): string | undefined {
  const type = String.fromCharCode(message[0] ?? 0)
  if (type !== 'Q' && type !== 'P') return undefined
  // A parsed one has a name before it.
  const start = type === 'Q' ? 5 : message.indexOf(0, 5) + 1
  return message.toString('utf8', start, message.indexOf(0, start)).toLowerCase()
}

export function simpleQuery(text: string): Buffer {
  const body = Buffer.from(`${text}\0`)
  const head = Buffer.alloc(5)
  head.write('Q')
  head.writeInt32BE(4 + body.length, 1)
  return Buffer.concat([head, body])
}

/** The server's last word on a statement. */
export const readyForQuery = (message: Buffer): boolean => message[0] === 'Z'.charCodeAt(0)
