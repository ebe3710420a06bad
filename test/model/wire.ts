/** The line between a function and PostgreSQL: hands on what is said, statement by statement, until a fault says otherwise. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { type FaultKind, SQLSTATES } from './faults.ts'
import type { Life } from './life.ts'
import { MessageReader, readyForQuery, simpleQuery, textOf } from './postgres-messages.ts'

export class Wire implements AsyncDisposable {
  /** The invocation that the connections belong to; none while the function is idle. */
  life: Life | undefined
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #target: { readonly host: string; readonly port: number }

  private constructor(target: { host: string; port: number }) {
    this.#target = target
    this.#server = createServer((client) => this.#accept(client))
  }

  /** @param target where the server listens */
  static async open(target: { host: string; port: number }): Promise<Wire> {
    const wire = new Wire(target)
    wire.#server.listen(0, '127.0.0.1')
    await once(wire.#server, 'listening')
    return wire
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Ends every connection, as a process does that ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #accept(client: Socket): void {
    const { life } = this
    this.#keep(client)
    const fault = life?.meet('connect')
    if (fault === 'refused') return void client.resetAndDestroy()
    if (fault !== undefined) return void life?.die()
    const server = this.#keep(connect(this.#target))
    client.once('close', () => server.destroy())
    server.once('close', () => client.destroy())
    new Connection(client, server, () => this.life)
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.once('close', () => this.#sockets.delete(socket))
    return socket
  }
}

/** One connection: statements go one way, answers the other. */
class Connection {
  readonly #client: Socket
  readonly #server: Socket
  readonly #life: () => Life | undefined
  /** Messages of a statement that is not complete. */
  #statement: Buffer[] = []

  constructor(client: Socket, server: Socket, life: () => Life | undefined) {
    this.#client = client
    this.#server = server
    this.#life = life
    const reader = new MessageReader('startup')
    client.on('data', (chunk: Buffer) => {
      for (const message of reader.read(chunk)) this.#hear(message)
    })
    server.pipe(client)
  }

  /** A statement is one simple query, or all messages of an extended one until the client waits for the answer. */
  #hear(message: Buffer): void {
    const type = String.fromCharCode(message[0] ?? 0)
    if (!'QPBDECS'.includes(type)) return void this.#server.write(message)
    this.#statement.push(message)
    if (!'QS'.includes(type)) return
    const statement = this.#statement
    this.#statement = []
    const life = this.#life()
    const isCommit = statement.some((part) => textOf(part) === 'commit')
    const fault = life?.meet('statement') ?? (isCommit ? life?.meet('commit') : undefined)
    this.#say(Buffer.concat(statement), fault, life)
  }

  #say(statement: Buffer, fault: FaultKind | undefined, life: Life | undefined): void {
    switch (fault) {
      case undefined:
        this.#server.write(statement)
        break
      case 'connection lost':
        this.#client.destroy()
        break
      case 'answer lost':
        this.#keepAnswer(statement, () => this.#client.destroy())
        break
      case 'dies before it':
        void life?.die()
        break
      case 'dies after it':
        this.#keepAnswer(statement, () => void life?.die())
        break
      case 'hangs':
        life?.expire()
        break
      case 'backend ended':
        this.#server.write(simpleQuery('select pg_terminate_backend(pg_backend_pid())'))
        break
      default: {
        // In place of the statement, so that it is the server that raises it, and ends the transaction.
        const raise = `raise exception 'fault' using errcode = '${SQLSTATES[fault]}'`
        this.#server.write(simpleQuery(`do $$ begin ${raise}; end $$`))
      }
    }
  }

  /** Has the server do it to its end, and tells nobody. */
  #keepAnswer(statement: Buffer, then: () => void): void {
    this.#server.unpipe(this.#client)
    const reader = new MessageReader('messages')
    this.#server.on('data', (chunk: Buffer) => {
      if (reader.read(chunk).some(readyForQuery)) then()
    })
    this.#server.resume()
    this.#server.write(statement)
  }
}
