/** The part of AWS that the functions of a program talk to, in memory, behind real clients. What is not set up is refused. */
import { S3Client } from '@aws-sdk/client-s3'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { SFNClient } from '@aws-sdk/client-sfn'
import { SQSClient } from '@aws-sdk/client-sqs'
import { z } from 'zod'
import type { DatabaseCredentials } from '../../db/client.ts'
import { Bucket, type HttpRequest, type HttpResponse, respond } from './bucket.ts'
import { answerWithFaults } from './faulty-answers.ts'

const startExecutionInput = z.object({ name: z.string(), input: z.string() })

export type Execution = z.infer<typeof startExecutionInput>

/** Answers what is asked of the queues, by the name of the action. */
export type QueueService = (action: string, input: unknown) => Promise<unknown>

/** Of either queue: what is asked tells which is meant. */
export const QUEUE_URL = 'https://sqs.us-east-1.amazonaws.com/000000000000/queue'

interface Secret {
  credentials: DatabaseCredentials
  /** What it still says, and how often. */
  behind: { readonly credentials: DatabaseCredentials; reads: number } | undefined
}

export class Cloud {
  /** Executions in the order of their starts, each once, however often it was started. */
  readonly executions: Execution[] = []
  /** Of the program that runs. */
  queues: QueueService = async (action) => {
    throw new Error(`there are no queues for ${action}`)
  }
  readonly #buckets = new Map<string, Bucket>()
  readonly #secrets = new Map<string, Secret>()
  /** Names of executions that have ended. */
  readonly #ended = new Set<string>()

  createBucket(name: string): Bucket {
    const bucket = new Bucket(name)
    this.#buckets.set(name, bucket)
    return bucket
  }

  /** Makes a secret say something else, after it was read so many times more. */
  putSecret(arn: string, credentials: DatabaseCredentials, readsBehind = 0): void {
    const before = this.#secrets.get(arn)?.credentials
    this.#secrets.set(arn, { credentials, behind: before && { credentials: before, reads: readsBehind } })
  }

  /** From here on, a start of the same name is told that it exists already. */
  endExecution({ name }: Execution): void {
    this.#ended.add(name)
  }

  /** Clients of one function. */
  clients() {
    const answer = (request: HttpRequest) => this.#answer(request)
    const options = {
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
      requestHandler: {
        handle: async (request: HttpRequest, { abortSignal }: { abortSignal?: AbortSignal } = {}) => ({
          response: await answerWithFaults(request, abortSignal, answer),
        }),
      },
    }
    return {
      s3: new S3Client(options),
      secrets: new SecretsManagerClient(options),
      sfn: new SFNClient(options),
      sqs: new SQSClient({ ...options, md5: false }),
    }
  }

  async #answer(request: HttpRequest): Promise<HttpResponse> {
    const bucket = this.#buckets.get(request.hostname.replace(/\.s3\..*$/, ''))
    if (bucket !== undefined) return bucket.answer(request)
    const target = request.headers['x-amz-target']
    const input: unknown = JSON.parse(textOf(request.body))
    if (target === 'secretsmanager.GetSecretValue') return this.#getSecret(input)
    if (target === 'AWSStepFunctions.StartExecution') return this.#startExecution(input)
    if (target?.startsWith('AmazonSQS.')) {
      return respond(200, JSON.stringify(await this.queues(target.slice('AmazonSQS.'.length), input)))
    }
    throw new Error(`the cloud in memory does not know ${request.method} ${request.hostname} ${target ?? ''}`)
  }

  #getSecret(input: unknown): HttpResponse {
    const secret = this.#secrets.get(z.object({ SecretId: z.string() }).parse(input).SecretId)
    if (secret === undefined) throw new Error('there is no such secret')
    const isBehind = secret.behind !== undefined && secret.behind.reads-- > 0
    const credentials = isBehind ? secret.behind?.credentials : secret.credentials
    return respond(200, JSON.stringify({ SecretString: JSON.stringify(credentials) }))
  }

  /** While it runs, the same name with the same input is started; afterwards, or with another input, it is refused. */
  #startExecution(body: unknown): HttpResponse {
    const { name, input } = startExecutionInput.parse(body)
    const known = this.executions.find((execution) => execution.name === name)
    if (known !== undefined && (known.input !== input || this.#ended.has(name))) {
      if (known.input !== input) throw new Error(`${name} was started with another input`)
      return respond(400, JSON.stringify({ __type: 'ExecutionAlreadyExists', message: name }))
    }
    if (known === undefined) this.executions.push({ name, input })
    return respond(200, JSON.stringify({ executionArn: `arn:aws:states:::execution:${name}`, startDate: 0 }))
  }
}

const textOf = (body: unknown): string => (body instanceof Uint8Array ? new TextDecoder().decode(body) : String(body))
