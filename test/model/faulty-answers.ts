/** What AWS answers when something goes wrong: between the real clients and the cloud in memory. */
import { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { type HttpRequest, type HttpResponse, respond, versionIdIn } from './bucket.ts'
import type { Boundary } from './faults.ts'
import { type Life, lives, never } from './life.ts'

/** Real milliseconds: long enough for everything else that is under way. */
const SLOW_MS = 5

type Answer = (request: HttpRequest) => Promise<HttpResponse>

/** @param signal aborted when the client has waited enough */
export async function answerWithFaults(
  request: HttpRequest,
  signal: AbortSignal | undefined,
  answer: Answer,
): Promise<HttpResponse> {
  const life = lives.getStore()
  if (life === undefined) return await answer(request)
  if (life.isDead) return await never()
  if (signal?.aborted) throw Object.assign(new Error('Request aborted'), { name: 'AbortError' })
  const on = boundaryOf(request)
  const fault = on && life.meet(on)
  const versionId = versionIdIn(request.query)
  if (on === 'get' && versionId !== undefined) {
    if (fault !== undefined && fault !== 'is slow') life.struck.add(versionId)
    if (fault === 'dies before it') life.diedReading = versionId
  }
  switch (fault) {
    case undefined:
      return await answer(request)
    case 'answers 503':
      return failure(request, 503, 'ServiceUnavailable')
    case 'answers 403':
      return failure(request, 403, 'AccessDenied')
    case 'names no bucket':
      return failure(request, 404, 'NoSuchBucket')
    case 'throttled':
      return failure(request, 400, 'ThrottlingException')
    case 'is slow':
      await wait(SLOW_MS)
      return await answer(request)
    case 'body cut off':
      return cutOff(await answer(request))
    case 'hangs':
      return await life.hang(signal)
    case 'out of time':
      life.expire()
      return await life.hang(signal)
    case 'answer lost':
      await answer(request)
      throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
    default:
      return await die(life, fault === 'dies after it' ? () => answer(request) : undefined)
  }
}

async function die(life: Life, last: (() => Promise<unknown>) | undefined): Promise<never> {
  await last?.()
  return await life.die()
}

function boundaryOf({ method, headers }: HttpRequest): Boundary | undefined {
  const target = headers['x-amz-target']
  if (target === undefined) return method === 'GET' ? 'get' : undefined
  if (target === 'secretsmanager.GetSecretValue') return 'secret'
  return target.startsWith('AmazonSQS.') ? 'queue' : 'start'
}

/** As S3 says it in XML, and the others in JSON. */
function failure({ headers }: HttpRequest, status: number, code: string): HttpResponse {
  if (headers['x-amz-target'] !== undefined) return respond(status, JSON.stringify({ __type: code, message: code }))
  const text = `<Error><Code>${code}</Code><Message>fault</Message></Error>`
  return respond(status, text, { 'content-type': 'application/xml' })
}

/** Half of the body, with the length of the whole. What was not found is so in full. */
function cutOff(response: HttpResponse): HttpResponse {
  if (response.statusCode !== 200) return response
  const length = Number(response.headers['content-length'])
  const body = response.body.read()
  const half = Buffer.from(body ?? '').subarray(0, length >> 1)
  return { ...response, body: Readable.from([half], { objectMode: false }) }
}
