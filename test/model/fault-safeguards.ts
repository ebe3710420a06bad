/** Safeguards that show only when something goes wrong at a boundary. */
import { guard, type Safeguard } from './safeguard.ts'

const INGEST_SLICE = 'handlers/ingest/ingest-slice.ts'
const START_EXECUTION = 'handlers/ingest/start-execution.ts'
const DATABASE = 'handlers/database.ts'
const READ_OBJECT = 'handlers/ingest/read-object.ts'

export const faultSafeguards: readonly Safeguard[] = [
  guard(
    'an end that could not be noted is remembered',
    'handlers/ingest/attempts.ts',
    'this.#unnoted.push({ object })',
    '',
  ),
  guard(
    'an attempt is noted before the file is touched',
    INGEST_SLICE,
    'if (attempted !== undefined) await attempts.begin(attempted, end)',
    '',
  ),
  guard(
    'an attempt whose begin got no answer counts once',
    'db/attempts.ts',
    'hasIdentity(file), sql`not',
    'hasIdentity(file), sql`true or not',
  ),
  guard('a lost connection is tried again', DATABASE, 'isConnectionLost(error) ? connects : undefined', 'undefined'),
  guard(
    'a password that is refused is read again',
    DATABASE,
    'isPasswordRefused(error) ? passwords :',
    'isPasswordRefused(error) ? undefined :',
  ),
  guard('a connection that failed is not used again', DATABASE, 'database?.$cut()\n        database = undefined', ''),
  guard('a database that hangs is not waited for', DATABASE, 'orOutOfTime(work(database), end)', 'work(database)'),
  guard(
    'a body that is cut off is no bad file',
    READ_OBJECT,
    'if (bytes.byteLength !== expected)',
    'if (bytes.byteLength > expected)',
  ),
  guard(
    'only a missing version has vanished',
    'handlers/errors.ts',
    '/^NoSuch(Key|Version)$/.test(error.name)',
    '[403, 404].includes(error.$metadata.httpStatusCode ?? 0)',
  ),
  guard(
    'a read that hangs is given up',
    READ_OBJECT,
    's3.send(command, { abortSignal: deadline })',
    's3.send(command)',
  ),
  guard(
    'a read that fails costs no other file',
    INGEST_SLICE,
    'await Promise.allSettled(objects.map((object) => readFile(reader, object, end)))',
    `(await Promise.all(objects.map((object) => readFile(reader, object, end))))
    .map((value) => ({ status: 'fulfilled' as const, value, reason: undefined }))`,
  ),
  guard('a start that hangs is given up', START_EXECUTION, '{ abortSignal: deadline })', '{})'),
  guard(
    'a start that failed is made up for',
    INGEST_SLICE,
    'if (execution === null || !(await startExecution(sfn, stateMachineArn, execution))) return',
    `if (execution === null) return
  await startExecution(sfn, stateMachineArn, execution)`,
  ),
  guard(
    'an execution that exists is started',
    START_EXECUTION,
    'if (error instanceof ExecutionAlreadyExists) return true',
    'void ExecutionAlreadyExists',
  ),
  guard(
    'the load day is that of the database',
    'db/batches.ts',
    "(now() at time zone 'UTC')",
    // In the model, the server's own clock is that of the functions.
    "(pg_catalog.now() at time zone 'UTC')",
  ),
  guard(
    'a dead letter is deleted when the ledger has it',
    'handlers/collect-dead-letters/collect-dead-letters.ts',
    `await record(dependencies, messages, end)
      await remove(dependencies, messages)`,
    `await remove(dependencies, messages)
      await record(dependencies, messages, end)`,
  ),
]
