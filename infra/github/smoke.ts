/**
 * Proves a deployment: puts an order, waits until it is loaded, has the marts built, and says so in Markdown for the summary of
 * the workflow. `node infra/github/smoke.ts <stage>`. The order is always the same and worth nothing, so the marts have it once.
 *
 * The marts themselves lie in a private network. That the transform succeeded with orders among what it built is the evidence:
 * its tests hold the marts to the ledger, and the ledger says that the order is loaded.
 */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Explanation } from '../../workflows/cli/commands/explain.ts'
import type { StatusFacts } from '../../workflows/cli/commands/status.ts'
import type { Concern } from '../../workflows/cli/concerns.ts'
import { EXIT_NEEDS_ATTENTION } from '../../workflows/cli/exit-codes.ts'

const SOURCE = 'orders'
const KEY = 'input/orders/smoke-test.json'

/** The window, twice: a first invocation that fails comes back after it. A cold start besides. */
const LOAD_LIMIT_MS = 5 * 60_000

const LOOK_INTERVAL_MS = 5_000

const root = join(import.meta.dirname, '../..')
const stage = process.argv[2]
if (stage === undefined) {
  console.error('usage: smoke.ts <stage>')
  process.exit(2)
}

/** What a command of `sluice` answers, times as text. */
async function sluice<Answer>(...command: string[]): Promise<AsJson<Answer>> {
  const args = [join(root, 'workflows/cli/sluice.ts'), ...command, '--stage', stage ?? '', '--json']
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 64 * 1024 * 1024 }).catch(
    (error) => {
      if (error.code === EXIT_NEEDS_ATTENTION) return error
      throw new Error(`sluice ${command.join(' ')}: ${error.stderr}`)
    },
  )
  return JSON.parse(stdout)
}

type AsJson<Value> = Value extends Date
  ? string
  : Value extends object
    ? { readonly [Key in keyof Value]: AsJson<Value[Key]> }
    : Value

/** The newest version of the file in the ledger. */
async function newestVersion() {
  return (await sluice<Explanation>('explain', KEY)).versions[0]
}

async function untilLoaded(before: number) {
  const giveUpAt = Date.now() + LOAD_LIMIT_MS
  while (true) {
    const version = await newestVersion()
    const isNew = version !== undefined && version.fileId > before
    if (isNew && version.state === 'loaded') return version
    if (isNew && version.state !== 'attempted') throw new Error(`${KEY} is ${version.state}: sluice explain ${KEY}`)
    if (Date.now() > giveUpAt)
      throw new Error(`${KEY} was put, and is not loaded after ${LOAD_LIMIT_MS / 60_000} minutes`)
    await wait(LOOK_INTERVAL_MS)
  }
}

const before = (await newestVersion())?.fileId ?? 0
await sluice('load', join(import.meta.dirname, 'smoke'), '--source', SOURCE)
const version = await untilLoaded(before)
console.error(`Loaded: ${KEY}`)
await sluice('transform')
const status = await sluice<StatusFacts & { concerns: Concern[] }>('status', '--since', '24h')
// Not only our own: the hourly run may have come before it, and left it nothing to do.
const run = status.transforms.runs.find(
  ({ outcome, startedAt, sources }) =>
    outcome === 'succeeded' && sources.includes(SOURCE) && startedAt > version.changedAt,
)
if (run === undefined) throw new Error(`no transform built ${SOURCE} after ${KEY} was loaded: sluice status`)

const { version: release } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const rows = status.sources.map(({ source, states, lastLoadedAt }) =>
  [source ?? '(none)', states.loaded, states.quarantined, states.dead_letter, lastLoadedAt ?? '-'].join(' | '),
)
console.log(
  [
    `### ${stage}: deployed, and a file came through`,
    `Release ${release}, commit ${process.env.GITHUB_SHA?.slice(0, 12) ?? 'unknown'}. \`${KEY}\` was loaded by batch ` +
      `${version.batch?.id}, and a transform then built ${run.nodes} models and tests (${run.sources.join(', ')}).`,
    `| source | loaded | quarantined | dead letters | last loaded |\n| --- | --- | --- | --- | --- |\n${rows.map((row) => `| ${row} |`).join('\n')}`,
    status.concerns.length === 0
      ? 'Nothing needs attention.'
      : `Needs attention:\n\n${status.concerns.map(({ what }) => `- ${what}`).join('\n')}`,
  ].join('\n\n'),
)
