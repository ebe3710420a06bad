/** The functions that drain dead letters and sweep, with a bucket, a dead-letter queue and a ledger of their own. */
import { CreateQueueCommand, GetQueueAttributesCommand, SendMessageCommand } from '@aws-sdk/client-sqs'
import { asc, eq, isNotNull, sql } from 'drizzle-orm'
import { recordFiles } from '../../db/files.ts'
import { files } from '../../db/schema.ts'
import { claimNextPage } from '../../handlers/claim-dead-letters/claim-dead-letters.ts'
import {
  type CollectDependencies,
  collectDeadLetters,
} from '../../handlers/collect-dead-letters/collect-dead-letters.ts'
import { databaseFromSecret } from '../../handlers/database.ts'
import { type IngestDependencies, startInvocation } from '../../handlers/ingest/ingest-slice.ts'
import { loadFile } from '../../handlers/load-file/load-file.ts'
import { parseMessage } from '../../handlers/s3-event.ts'
import { type SweepDependencies, sweep } from '../../handlers/sweep/sweep.ts'
import { awsClients, createStateMachine, createVersionedBucket, databaseEnvironment, putObject } from './aws.ts'
import { createDatabase } from './database.ts'
import { ingestDependencies } from './ingest.ts'
import { fileRecord } from './ledger.ts'
import { orderText } from './orders.ts'
import { lambdaContext, s3Message } from './s3-events.ts'

export type OpenDrain = Awaited<ReturnType<typeof openDrain>>

/** Seconds for which a received dead letter is hidden. Short, since tests wait for it. */
const VISIBILITY_SECONDS = 2

export const executionArn = (name: string): string => `arn:aws:states:us-east-1:000000000000:execution:pipeline:${name}`

/** Everything of it ends with `await using`. */
export async function openDrain() {
  const clients = awsClients()
  const { s3, secrets, sfn, sqs } = clients
  const ledger = await createDatabase()
  const { database } = ledger
  const bucket = await createVersionedBucket(s3)
  const stateMachineArn = await createStateMachine(sfn)
  const { QueueUrl: queueUrl = '' } = await sqs.send(
    new CreateQueueCommand({
      QueueName: `dead-letters-${bucket}`,
      Attributes: { VisibilityTimeout: String(VISIBILITY_SECONDS) },
    }),
  )
  const ingest = await ingestDependencies(clients, ledger, stateMachineArn)
  const maintenance = await databaseEnvironment(secrets, ledger.credentialsOf('maintenance'))
  const withDatabase = databaseFromSecret(secrets, maintenance, 'test-drain')

  const put = (name: string, body: string) => putObject(s3, bucket, `input/orders/${name}.json`, body)
  const open = {
    ...{ s3, sfn, sqs, bucket, queueUrl, stateMachineArn, ledger, database, ingest, withDatabase, put },
    /** Sends messages to the dead-letter queue. */
    die: async (...bodies: string[]) => {
      for (const body of bodies) await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }))
    },
    /** Puts a file that the ledger has as a dead letter. Returns its id. */
    deadLetter: async (name: string, body = orderText()): Promise<number> => {
      const { objects } = parseMessage(s3Message(await put(name, body)))
      const records = objects.map((object) => fileRecord({ ...object, status: 'dead_letter' }))
      const [row] = await recordFiles(database, records)
      return row?.id ?? 0
    },
    collect: (changed: Partial<CollectDependencies> = {}, remaining = () => 60_000) =>
      collectDeadLetters({ sqs, queueUrl, withDatabase, ...changed }, remaining, startInvocation(lambdaContext()).end),
    claim: (drain: string, { round = 0, requireNoneRemain = false } = {}) =>
      claimNextPage(
        withDatabase,
        { drain, executionArn: executionArn(drain), round, requireNoneRemain },
        startInvocation(lambdaContext()).end,
      ),
    load: (fileId: number, changed: Partial<IngestDependencies> = {}) =>
      loadFile({ ...ingest, ...changed }, fileId, startInvocation(lambdaContext())),
    sweep: (changed: Partial<SweepDependencies> = {}, now = new Date(), remainingMilliseconds = 50_000) =>
      sweep(
        { withDatabase, sfn, stateMachineArn, sqs, deadLetterQueueUrl: queueUrl, retentionDays: 30, ...changed },
        now,
        startInvocation(lambdaContext(remainingMilliseconds)).end,
      ),
    /** Ends all leases, as half an hour does. */
    expireClaims: () =>
      database
        .update(files)
        .set({ claimedUntil: sql`now() - interval '1 second'` })
        .where(isNotNull(files.claimedUntil)),
    /** The ledger, in the order of its ids. */
    ledgerRows: () => database.select().from(files).orderBy(asc(files.id)),
    fileOf: async (id: number) => {
      const [row] = await database.select().from(files).where(eq(files.id, id))
      return row
    },
    /** How many messages can be received, and how many are hidden. */
    queueDepth: async () => {
      const { Attributes } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['All'] }),
      )
      return {
        visible: Number(Attributes?.ApproximateNumberOfMessages),
        hidden: Number(Attributes?.ApproximateNumberOfMessagesNotVisible),
      }
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of Object.values(clients)) client.destroy()
      await ledger[Symbol.asyncDispose]()
    },
  }
  return open
}
