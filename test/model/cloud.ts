/** The part of AWS that the functions of a program talk to, in memory, behind real clients. What is not set up is refused. */
import { S3Client } from '@aws-sdk/client-s3'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { SFNClient } from '@aws-sdk/client-sfn'
import { z } from 'zod'
import type { DatabaseCredentials } from '../../db/client.ts'
import { Bucket, type HttpRequest, type HttpResponse, respond } from './bucket.ts'

const startExecutionInput = z.object({ name: z.string(), input: z.string() })

export type Execution = z.infer<typeof startExecutionInput>

export class Cloud {
  /** Executions in the order of their starts; a start that was repeated is here once for each. */
  readonly executions: Execution[] = []
  readonly #buckets = new Map<string, Bucket>()
  readonly #databaseSecret: string

  constructor(credentials: DatabaseCredentials) {
    this.#databaseSecret = JSON.stringify(credentials)
  }

  createBucket(name: string): Bucket {
    const bucket = new Bucket(name)
    this.#buckets.set(name, bucket)
    return bucket
  }

  /** Clients of one function. Every request goes through `answer`: whoever wants one to fail stands between the two. */
  clients(answer = (request: HttpRequest): HttpResponse => this.answer(request)) {
    const options = {
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
      requestHandler: { handle: async (request: HttpRequest) => ({ response: answer(request) }) },
    }
    return { s3: new S3Client(options), secrets: new SecretsManagerClient(options), sfn: new SFNClient(options) }
  }

  answer(request: HttpRequest): HttpResponse {
    const bucket = this.#buckets.get(request.hostname.replace(/\.s3\..*$/, ''))
    if (bucket !== undefined) return bucket.answer(request)
    const target = request.headers['x-amz-target']
    if (target === 'secretsmanager.GetSecretValue') {
      return respond(200, JSON.stringify({ SecretString: this.#databaseSecret }))
    }
    if (target === 'AWSStepFunctions.StartExecution') return this.#startExecution(request.body)
    throw new Error(`the cloud in memory does not know ${request.method} ${request.hostname} ${target ?? ''}`)
  }

  /** The same name with the same input is started already; with another input it is refused. */
  #startExecution(body: unknown): HttpResponse {
    const text = body instanceof Uint8Array ? new TextDecoder().decode(body) : String(body)
    const { name, input } = startExecutionInput.parse(JSON.parse(text))
    const known = this.executions.find((execution) => execution.name === name)
    if (known !== undefined && known.input !== input) {
      return respond(400, JSON.stringify({ __type: 'ExecutionAlreadyExists', message: name }))
    }
    this.executions.push({ name, input })
    return respond(200, JSON.stringify({ executionArn: `arn:aws:states:::execution:${name}`, startDate: 0 }))
  }
}
