/** The world of one program: its bucket, its queue, the model of both, and what happens in them one after the other. */
import { parseMessage } from '../../handlers/s3-event.ts'
import type { Bucket, ObjectVersion } from './bucket.ts'
import { keys } from './contents.ts'
import { type Announcement, creationBody, strangeBody } from './messages.ts'
import { Model } from './model.ts'
import type { Round, Step } from './program.ts'
import { type Message, Queue } from './queue.ts'

type Instant = Exclude<Step, Round | { readonly do: 'midnight' }>

export class World {
  readonly bucket: Bucket
  readonly queue = new Queue()
  readonly deadLetters = new Queue()
  readonly model = new Model()
  /** Messages that a person must find in `ingest.messages`. */
  readonly unreadable: Message[] = []
  /** What happened, a line each, for people. */
  readonly trace: string[] = []
  /** Messages given to a function, by the request's id. */
  readonly requests = new Map<string, number>()
  /** What must not have happened, and happened where nobody was asked. */
  readonly violations: Error[] = []
  /** Requests that met a fault. */
  readonly faulty = new Set<string>()
  /** Whether any file was asked for again. */
  hasReplays = false
  /** Nothing goes wrong any more, and nobody loads the same files at the same time. */
  isSettling = false
  /** Days that have passed. */
  days = 0
  #upkeeps = 0
  readonly #announcements: Announcement[] = []
  #messages = 0

  constructor(bucket: Bucket) {
    this.bucket = bucket
  }

  /** Notes a request to a function. Returns its id. */
  openRequest(messages: readonly Message[]): string {
    const requestId = `${this.bucket.name}/request-${this.requests.size + 1}`
    this.requests.set(requestId, messages.length)
    return requestId
  }

  /** Notes what is set going. Returns a name for its execution. */
  openUpkeep(what: string): string {
    return `${this.bucket.name}/${what.replaceAll(' ', '-')}-${++this.#upkeeps}`
  }

  /** Does what takes no time. */
  do(step: Instant): void {
    switch (step.do) {
      case 'put':
        this.#put(step)
        break
      case 'repeat':
        this.#announce(step.versions.flatMap((number) => pick(this.#announcements, number)))
        break
      case 'send':
        for (let n = 0; n < step.count; n++) this.#send({ versions: [], ...strangeBody(step.body, this.bucket.name) })
        break
      case 'delete':
        this.beginDelete(step.version)
        this.model.endDeletes()
        break
      case 'give up':
        this.#giveUp(step)
        break
      case 'delete marker':
        for (const { key } of pick(keys, step.key)) this.bucket.putDeleteMarker(key)
        break
    }
  }

  /** Deletes a version while others may be reading it; the model takes it for gone at `model.endDeletes()`. */
  beginDelete(number: number): void {
    for (const { object } of pick(this.#announcements, number)) {
      this.trace.push(`delete ${object.versionId}`)
      this.bucket.delete(object)
      this.model.beginDelete(object)
    }
  }

  #put({ count, key, content, spelling, isSized, recordsPerMessage }: Extract<Step, { do: 'put' }>): void {
    const puts = Array.from({ length: count }, (_, n): Announcement => {
      const [place] = pick(keys, key + n)
      const [file] = pick(place?.contents ?? [], content + n)
      if (place === undefined || file === undefined) throw new Error('there are no keys or no contents')
      const object = this.bucket.put(place.key, file.body, spelling)
      // What is too large to be written here is so only because the event says it.
      const sizeBytes = file.sizeBytes ?? (isSized ? file.body.byteLength : undefined)
      this.trace.push(`put ${object.versionId} under ${place.key}: ${file.name}, sequencer ${object.sequencer}`)
      this.model.put(object, file.verdict, sizeBytes)
      return { object, sizeBytes }
    })
    this.#announcements.push(...puts)
    for (let start = 0; start < count; start += recordsPerMessage) {
      this.#announce(puts.slice(start, start + recordsPerMessage))
    }
  }

  #giveUp({ from, take }: Extract<Step, { do: 'give up' }>): void {
    const messages = this.queue.choose({ from, take, isBackward: false }, this.queue.messages)
    this.queue.delete(messages)
    for (const message of messages) {
      this.deadLetters.send(message)
      this.trace.push(`message ${message.messageId} is a dead letter`)
    }
  }

  /** A replay asks for versions: it writes the message itself. */
  sendReplay(body: string): void {
    const versions = parseMessage(body).objects.map(({ versionId }) => this.model.version(versionId).object)
    this.#send({ versions, body, isUnreadable: false })
  }

  #announce(announcements: readonly Announcement[]): void {
    if (announcements.length === 0) return
    const versions = announcements.map(({ object }) => object)
    this.#send({ versions, body: creationBody(announcements), isUnreadable: false })
  }

  #send(content: Omit<Message, 'messageId'>): void {
    const message = { messageId: `${this.bucket.name}/message-${++this.#messages}`, ...content }
    this.queue.send(message)
    if (message.isUnreadable) this.unreadable.push(message)
    this.trace.push(`send message ${this.#messages}: ${namesOf(message.versions) || message.body.slice(0, 60)}`)
  }
}

export const namesOf = (versions: readonly ObjectVersion[]): string =>
  versions.map(({ versionId }) => versionId).join(', ')

const pick = <Item>(items: readonly Item[], number: number): Item[] => items.slice(number % items.length).slice(0, 1)
