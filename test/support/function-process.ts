/** Runs the real ingest handler in a process of its own, as Lambda does, under a queue that delivers as SQS does. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { SQSBatchResponse, SQSRecord } from 'aws-lambda'
import { sqsRecord } from './s3-events.ts'

export interface FunctionOptions {
  /** Environment of the function. */
  readonly environment: Readonly<Record<string, string>>
  /** Megabytes of V8's heap; beyond, the process dies. */
  readonly heapMegabytes?: number
  /** What `getRemainingTimeInMillis` says at the start of each invocation. */
  readonly timeoutMilliseconds?: number
}

/** One execution environment: a process that is started when it is needed, and again after it died. */
export class FunctionProcess {
  readonly #options: FunctionOptions
  #child: ChildProcess | undefined
  /** Highest resident memory seen after an invocation. */
  peakMegabytes = 0

  constructor(options: FunctionOptions) {
    this.#options = options
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Invokes the handler. Undefined when the process died on it. */
  async invoke(records: readonly SQSRecord[]): Promise<SQSBatchResponse | undefined> {
    this.#child ??= this.#start()
    const child = this.#child
    child.send({ event: { Records: records }, timeoutMilliseconds: this.#options.timeoutMilliseconds ?? 60_000 })
    const answer = await Promise.race([
      once(child, 'message').then(([message]) => message as { response: SQSBatchResponse; peakMegabytes: number }),
      once(child, 'exit').then(() => undefined),
    ])
    if (answer === undefined) this.#child = undefined
    this.peakMegabytes = Math.max(this.peakMegabytes, answer?.peakMegabytes ?? 0)
    return answer?.response
  }

  stop(): void {
    this.#child?.kill('SIGKILL')
    this.#child = undefined
  }

  #start(): ChildProcess {
    const { environment, heapMegabytes } = this.#options
    const child = fork(join(import.meta.dirname, 'function-runner.ts'), {
      env: { PATH: process.env.PATH, POWERTOOLS_LOG_LEVEL: 'SILENT', AWS_LAMBDA_FUNCTION_NAME: 'test', ...environment },
      execArgv: [
        '--import',
        join(import.meta.dirname, 'killer-files.mjs'),
        ...(heapMegabytes === undefined ? [] : [`--max-old-space-size=${heapMegabytes}`]),
      ],
      // A heap that is exhausted writes pages of it.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    child.setMaxListeners(0)
    return child
  }
}

export interface Delivery {
  /** Bodies of messages that were received too often. */
  readonly deadLetters: readonly string[]
  /** How often each message was received, in the order of the bodies. */
  readonly receives: readonly number[]
}

/** Delivers messages in batches until each is acknowledged or dead-lettered. A batch whose process dies comes back whole. */
export async function deliver(
  functionProcess: Pick<FunctionProcess, 'invoke'>,
  bodies: readonly string[],
  { batchSize = 100, maxReceives = 12 } = {},
): Promise<Delivery> {
  const records = bodies.map((body) => sqsRecord(body))
  const receives = new Map(records.map(({ messageId }) => [messageId, 0]))
  const deadLetters: string[] = []
  let queue = records
  while (queue.length > 0) {
    const batch = queue.slice(0, batchSize)
    queue = queue.slice(batchSize)
    for (const record of batch) {
      const count = (receives.get(record.messageId) ?? 0) + 1
      receives.set(record.messageId, count)
      record.attributes.ApproximateReceiveCount = String(count)
    }
    const response = await functionProcess.invoke(batch)
    const failed = response && new Set(response.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier))
    for (const record of batch.filter(({ messageId }) => failed === undefined || failed.has(messageId))) {
      if ((receives.get(record.messageId) ?? 0) >= maxReceives) deadLetters.push(record.body)
      else queue.push(record)
    }
  }
  return { deadLetters, receives: records.map(({ messageId }) => receives.get(messageId) ?? 0) }
}
