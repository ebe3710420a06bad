/**
 * `npm start`: the whole pipeline on this machine. Starts a laptop cloud, deploys the real template, puts real files
 * among bad ones and noise, and accounts for every object. Then it stays up for trying things, or with --once tears down.
 */
import { parseArgs } from 'node:util'
import { errorCode } from '../../db/errors.ts'
import { type Cloud, startCloud } from './cloud.ts'
import { type Account, type PutVersion, takeAccount } from './demo/account.ts'
import { connectTo, type Deployment, databaseParameters } from './demo/deployment.ts'
import { untilSettled } from './demo/follow.ts'
import { openInbox } from './demo/inbox.ts'
import { type DemoInputs, makeInputs } from './demo/inputs.ts'
import { renderMarts } from './demo/marts.ts'
import { isInput } from './demo/noise.ts'
import { formatCount, formatSeconds, showProgress, step } from './demo/progress.ts'
import { putObjects } from './demo/put-objects.ts'
import { renderReport } from './demo/report.ts'
import { type WalkedRoute, walkRoutes } from './demo/routes.ts'
import { watchFiles } from './demo/watch.ts'
import { deployStack } from './deploy.ts'

const USAGE = `Runs Sluice on this machine: cloud up, deploy, 2,015 objects through the pipeline, an account of
every one, and the marts that dbt builds of them.

  npm start               and stay up to try things, until Ctrl-C
  npm start -- --once     and tear down: exits 0 when every object is accounted for, else 1
  npm start -- --help     this text

Nothing of it reaches AWS. State and logs lie in .sluice/start/.`

const LOGS = '.sluice/start/*.log'

/** What a shell expects of a program that Ctrl-C ended. */
const EXIT_INTERRUPTED = 130

let isDemoDone = false

async function main({ once }: { once: boolean }): Promise<void> {
  process.once('SIGINT', interrupt)
  const cloud = await step('Starting an emulator of AWS, and PostgreSQL', () => startCloud({ name: 'start' }))
  try {
    const outputs = await step('Deploying the stack, as to AWS', () =>
      deployStack(cloud, { parameters: databaseParameters(cloud) }),
    )
    const deployment = connectTo(cloud, outputs)
    const inbox = await openInbox(deployment, 'inbox')
    const inputs = await step('Making the files', makeInputs)
    const puts = await loadInputs(deployment, inputs)
    const account = await step('Listing the bucket, and asking the ledger', () => takeAccount(deployment, puts))
    report(account)
    const routes = await step('Walking the other routes of the state machine', () => walkRoutes(deployment))
    reportRoutes(account, routes)
    isDemoDone = account.problems.length === 0 && routes.every(({ status }) => status === 'SUCCEEDED')
    if (isDemoDone) console.log(`\n${await renderMarts(deployment.database)}`)
    if (isDemoDone && !once) {
      console.log(whatToTry(cloud, deployment))
      await watchFiles(deployment, inbox)
    }
    await deployment.database.$client.end()
  } finally {
    await cloud.stop()
  }
}

/** The answer to Ctrl-C: whatever is going on, the cloud ends with this process. */
function interrupt(): void {
  // The last listener, so what it says is true.
  process.once('exit', () => console.log(isDemoDone ? '\nThe cloud has ended.' : '\nInterrupted. The cloud has ended.'))
  process.exit(isDemoDone ? 0 : EXIT_INTERRUPTED)
}

/** Returns what was put. */
async function loadInputs(deployment: Deployment, { sorts, waves }: DemoInputs): Promise<PutVersion[]> {
  console.log(`Loading\n${[...sorts].map(([sort, count]) => `  ${formatCount(count).padStart(5)} ${sort}`).join('\n')}`)
  const objects = waves.flat()
  const startedAt = performance.now()
  const progress = showProgress({
    put: objects.length,
    'through the pipeline': objects.filter(({ key }) => isInput(key)).length,
  })
  const puts: PutVersion[] = []
  const putAll = async () => {
    for (const wave of waves) {
      await putObjects(
        deployment,
        wave,
        ({ fate }) => fate.state === 'loaded or vanished',
        ({ key, fate }, versionId) => progress.update('put', puts.push({ key, versionId, fate })),
      )
    }
  }
  try {
    let isPutDone = false
    const putting = putAll()
    await Promise.all([
      putting.then(() => {
        isPutDone = true
      }),
      untilSettled(
        deployment,
        objects,
        () => isPutDone,
        (settled) => progress.update('through the pipeline', settled),
      ),
    ])
  } finally {
    progress.stop()
  }
  console.log(`Loaded in ${formatSeconds(performance.now() - startedAt)}`)
  return puts
}

function report(account: Account): void {
  console.log(`\n${renderReport(account)}\n`)
  for (const problem of account.problems) console.error(`NOT ACCOUNTED FOR: ${problem}`)
  if (account.problems.length === 0) {
    console.log(`Every object is accounted for, ${formatSeconds(performance.now())} after the start.`)
  } else console.error(`Logs: ${LOGS}`)
}

function reportRoutes({ executions }: Account, routes: readonly WalkedRoute[]): void {
  const batches = [...executions].map(([status, count]) => `${formatCount(count)} ${status}`).join(', ')
  console.log(`  ${'batch'.padEnd(13)} ${batches}`)
  for (const { route, status, told } of routes) console.log(`  ${route.padEnd(13)} ${status}: ${told}`)
}

function whatToTry(cloud: Cloud, { bucket }: Deployment): string {
  return `
The cloud stays up until Ctrl-C. AWS: ${cloud.endpoint}   Bucket: ${bucket}
PostgreSQL: ${cloud.database.url}

Try in a second terminal:
  npm run -s sluice -- status
  npm run -s sluice -- quarantine
  npm run -s sluice -- transform
  curl -d '{"order_id": 7}' -X PUT ${cloud.endpoint}/${bucket}/input/orders/mine.json
  psql ${cloud.database.url} -c 'select * from marts.ingest_daily'

What becomes of files that you drop is told here:`
}

/** What an error says, and what caused it. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // Drizzle's messages hold the statement with its parameters.
  if ('query' in error) return `PostgreSQL failed with ${errorCode(error) ?? 'no code'}`
  return error.cause === undefined ? error.message : `${error.message}\nCause: ${explain(error.cause)}`
}

function readOptions(): { once: boolean } {
  try {
    const { values } = parseArgs({
      options: { once: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
    })
    if (!values.help) return values
    console.log(USAGE)
    process.exit(0)
  } catch (error) {
    console.error(`${explain(error)}\n\n${USAGE}`)
    process.exit(2)
  }
}

try {
  await main(readOptions())
} catch (error) {
  console.error(`\n${explain(error)}\nLogs: ${LOGS}`)
  process.exit(1)
}
// Sockets that the clients keep open would hold the process for a while.
process.exit(isDemoDone ? 0 : 1)
