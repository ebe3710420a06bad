import { setTimeout as wait } from 'node:timers/promises'
import type { Command } from 'commander'
import { z } from 'zod'
import { CommandFailed } from '../errors.ts'
import { followExecution, LOOK_INTERVAL_MS } from '../follow-execution.ts'
import { askLedger } from '../ledger.ts'
import { globalsOf } from '../options.ts'
import { connect, type Stage } from '../stage.ts'
import { startRoute } from '../start-route.ts'
import { describeFailures, describeRun, type TransformRun } from '../transforms.ts'

/** Milliseconds within which a build has got its packages and written its run. Later, it has failed before. */
const BEGIN_LIMIT_MS = 5 * 60_000

/** Runs of the ledger among which one is looked for by its build: others may have started since. */
const RUNS_LOOKED_AT = 20

/** Output of the route: the build that ran, or the one that ran instead. */
const routeOutput = z.object({ buildId: z.string().optional(), otherBuildId: z.string().nullish() })

export function addTransform(program: Command): void {
  program
    .command('transform')
    .description('Build the marts now, and wait until they are. One that runs already is waited for first.')
    .addHelpText(
      'after',
      '\nOnly what has new files is built. Ctrl-C stops the waiting, not the transform.' +
        '\n\nExamples:\n  sluice transform\n  sluice transform --stage prod --json',
    )
    .action(async (_options, command: Command) => {
      const { stage: stageName, json } = globalsOf(command)
      const run = await transform(connect(stageName))
      console.log(json ? JSON.stringify(run, null, 2) : describeRun(run))
    })
}

/**
 * Runs the route `transform` until a build of our own has ended: one that began before may have missed the last files.
 *
 * @throws {CommandFailed} when it fails
 */
async function transform(stage: Stage): Promise<TransformRun> {
  while (true) {
    const name = await startRoute(stage, 'transform', { trigger: 'transform' })
    console.error(`Started: ${name}`)
    const { status, output, error } = await followExecution(stage, name)
    if (status !== 'SUCCEEDED') throw new CommandFailed(await explainFailure(stage, name, `${status} ${error}`))
    const { buildId, otherBuildId } = routeOutput.parse(output)
    if (buildId !== undefined) return await findRun(stage, buildId)
    console.error(
      `Another transform runs (build ${otherBuildId}). It may not have the last files: waiting for its end.`,
    )
    await untilEnded(stage, otherBuildId)
  }
}

async function explainFailure(stage: Stage, name: string, ending: string): Promise<string> {
  const { runs } = await askLedger(stage, { question: 'transforms', limit: RUNS_LOOKED_AT })
  const run = runs.find(({ executionName }) => executionName === name)
  const why = run?.outcome === 'failed' ? describeFailures(run) : ending.trim()
  const where = `${name} --stage ${stage.name}`
  return `the transform failed: ${why}. See \`sluice execution ${where}\`; when the cause is mended, \`sluice redrive ${where}\``
}

async function findRun(stage: Stage, buildId: string): Promise<TransformRun> {
  const { runs } = await askLedger(stage, { question: 'transforms', limit: RUNS_LOOKED_AT })
  const run = runs.find((candidate) => candidate.buildId === buildId)
  if (run === undefined)
    throw new CommandFailed(`build ${buildId} succeeded, and the ledger has no run of it: somebody runs dbt by hand`)
  return run
}

async function untilEnded(stage: Stage, buildId: string | null | undefined): Promise<void> {
  const startedAt = Date.now()
  while (true) {
    const { runs } = await askLedger(stage, { question: 'transforms', limit: RUNS_LOOKED_AT })
    const run = runs.find((candidate) => candidate.buildId === buildId)
    if (run !== undefined && run.endedAt !== null) return
    if (run === undefined && Date.now() - startedAt > BEGIN_LIMIT_MS) return
    await wait(LOOK_INTERVAL_MS)
  }
}
