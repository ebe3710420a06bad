/** The function *ReconcileFiles* with a bucket, a queue and a ledger of its own, and the ingest function behind the queue. */
import { CreateQueueCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import type { ReconcileRequest } from '../../handlers/contract.ts'
import { databaseFromSecret } from '../../handlers/database.ts'
import { ingestBatch } from '../../handlers/ingest/ingest-batch.ts'
import {
  type ReconcileDependencies,
  reconcileNextPages,
  type TimeLeft,
} from '../../handlers/reconcile-files/reconcile-files.ts'
import { parseMessage } from '../../handlers/s3-event.ts'
import { awsClients, createStateMachine, createVersionedBucket, databaseEnvironment, putObject } from './aws.ts'
import { createDatabase } from './database.ts'
import { ingestDependencies } from './ingest.ts'
import { orderText } from './orders.ts'
import { lambdaContext, sqsEvent } from './s3-events.ts'

const HOUR_MS = 3_600_000

/** Time enough, two hours after what is put now. */
export const inTwoHours = (changed: Partial<TimeLeft> = {}): TimeLeft => ({
  now: new Date(Date.now() + 2 * HOUR_MS),
  remaining: () => 50_000,
  end: AbortSignal.timeout(20_000),
  ...changed,
})

export type OpenReconcile = Awaited<ReturnType<typeof openReconcile>>

/** Everything of it ends with `await using`, or when it is disposed of. */
export async function openReconcile() {
  const clients = awsClients()
  const { s3, secrets, sfn, sqs } = clients
  const ledger = await createDatabase()
  const environment = await databaseEnvironment(secrets, ledger.credentialsOf('maintenance'))
  const { QueueUrl: queueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: `reconcile-${Date.now()}` }))
  const bucket = await createVersionedBucket(s3)
  const withDatabase = databaseFromSecret(secrets, environment, 'test-reconcile')
  const dependencies: ReconcileDependencies = { s3, sqs, bucket, queueUrl, withDatabase }
  const ingesting = await ingestDependencies(clients, ledger, await createStateMachine(sfn))

  async function receivedBodies(): Promise<string[]> {
    const receive = new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 })
    const bodies: string[] = []
    for (;;) {
      const { Messages = [] } = await sqs.send(receive)
      if (Messages.length === 0) return bodies
      bodies.push(...Messages.map(({ Body = '' }) => Body))
    }
  }

  return {
    s3,
    bucket,
    database: ledger.database,
    dependencies,
    /** A Task of one execution, unless it is given another name. */
    reconcile: (
      request: Partial<ReconcileRequest> = {},
      changed: Partial<ReconcileDependencies> & { readonly execution?: string } = {},
      time = inTwoHours(),
    ) => {
      const { execution = 'run-1', ...others } = changed
      return reconcileNextPages({ ...dependencies, ...others }, execution, { trigger: 'reconcile', ...request }, time)
    },
    /** Puts an object. Returns the record of its event. */
    put: (key: string, body = orderText()) => putObject(s3, bucket, key, body),
    receivedBodies,
    sentVersions: async () =>
      (await receivedBodies()).flatMap((body) => parseMessage(body).objects.map(({ versionId }) => versionId)),
    ingest: (bodies: readonly string[]) => ingestBatch(ingesting, sqsEvent(...bodies), lambdaContext()),
    [Symbol.asyncDispose]: async () => {
      for (const client of Object.values(clients)) client.destroy()
      await ledger[Symbol.asyncDispose]()
    },
  }
}
