/** The functions' way to the database while the password of their role is changed. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { PutSecretValueCommand } from '@aws-sdk/client-secrets-manager'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { DatabaseCredentials } from '../../db/client.ts'
import { errorCode } from '../../db/errors.ts'
import { files } from '../../db/schema.ts'
import { type DatabaseEnvironment, databaseFromSecret } from '../../handlers/database.ts'
import { Attempts } from '../../handlers/ingest/attempts.ts'
import { ingestBatch } from '../../handlers/ingest/ingest-batch.ts'
import { PASSWORD_WAITS_MS } from '../../handlers/limits.ts'
import { awsClients, databaseEnvironment } from '../support/aws.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { type OpenIngest, openIngest } from '../support/open-ingest.ts'
import { orderText } from '../support/orders.ts'
import { lambdaContext, s3Message, sqsEvent } from '../support/s3-events.ts'

const { secrets } = awsClients()
let ledger: TestDatabase
let open: OpenIngest
beforeAll(async () => {
  ledger = await createDatabase()
  open = await openIngest()
})
afterAll(async () => {
  await open[Symbol.asyncDispose]()
  await ledger[Symbol.asyncDispose]()
  secrets.destroy()
})

/** A role that may what ingest may: that of the server is shared with other tests. Also its secret, and how each is changed. */
async function openRotation() {
  const username = `rotated_${randomBytes(4).toString('hex')}`
  await ledger.database.execute(sql.raw(`create role ${username} login password 'old' in role sluice_ingest`))
  const credentials: DatabaseCredentials = { ...ledger.credentials, username, password: 'old' }
  const environment = await databaseEnvironment(secrets, credentials)
  return {
    username,
    environment,
    changeRole: (password: string) => ledger.database.execute(sql.raw(`alter role ${username} password '${password}'`)),
    changeSecret: (password: string) =>
      secrets.send(
        new PutSecretValueCommand({
          SecretId: environment.DATABASE_SECRET_ARN,
          SecretString: JSON.stringify({ ...credentials, password }),
        }),
      ),
    endConnections: () =>
      ledger.database.execute(sql`select pg_terminate_backend(pid) from pg_stat_activity where usename = ${username}`),
  }
}

/** An ingest function just started. */
function startFunction(environment: DatabaseEnvironment) {
  const withDatabase = databaseFromSecret(secrets, environment, 'test-rotation')
  const dependencies = { ...open.dependencies, withDatabase, attempts: new Attempts(withDatabase) }
  return {
    ingest: async (): Promise<number> => {
      const record = await open.put(`input/orders/${randomBytes(6).toString('hex')}.json`, orderText())
      const { batchItemFailures } = await ingestBatch(dependencies, sqsEvent(s3Message(record)), lambdaContext())
      return batchItemFailures.length
    },
    stop: () => withDatabase((database) => database.$client.end()),
  }
}

/** As long as a rotation is half done here, in milliseconds. */
const HALF_DONE = 600

test.each([
  ['the role and then the secret', ['changeRole', 'changeSecret']],
  ['the secret and then the role', ['changeSecret', 'changeRole']],
] as const)(
  'a rotation that changes %s fails no batch, of functions that run and of those just started',
  async (_, steps) => {
    const rotation = await openRotation()
    const warm = startFunction(rotation.environment)
    const before = await ledger.database.$count(files)
    expect(await warm.ingest()).toBe(0)

    const rotating = (async () => {
      await rotation[steps[0]]('new')
      await rotation.endConnections()
      await sleep(HALF_DONE)
      await rotation[steps[1]]('new')
    })()
    const cold: ReturnType<typeof startFunction>[] = []
    const batches: Promise<number>[] = []
    for (let started = 0; started < 6; started++) {
      const each = startFunction(rotation.environment)
      cold.push(each)
      batches.push(each.ingest())
      await sleep(HALF_DONE / 5)
    }
    batches.push(warm.ingest())
    await rotating

    expect(await Promise.all(batches)).toEqual(Array(7).fill(0))
    expect(await ledger.database.$count(files)).toBe(before + 8)
    await Promise.all([warm, ...cold].map((each) => each.stop()))
  },
)

test('a password that stays wrong is given up by its code, at the latest when the invocation ends', async () => {
  const { environment, changeSecret } = await openRotation()
  await changeSecret('wrong')
  const withDatabase = databaseFromSecret(secrets, environment, 'test')
  const startedAt = performance.now()

  const refused = withDatabase((database) => database.$count(files), AbortSignal.timeout(300))

  expect(await refused.then(() => 'done', errorCode)).toBe('28P01')
  expect(performance.now() - startedAt).toBeLessThan(2_000)
})

test('and before by itself, with most of an invocation left', () => {
  const longest = PASSWORD_WAITS_MS.reduce((sum, wait) => sum + wait, 0)
  expect(longest).toBeGreaterThan(10_000)
  expect(longest).toBeLessThan(20_000)
})
