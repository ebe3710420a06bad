import type { Command } from 'commander'
import { type Plan, planCapacity } from '../../capacity/plan.ts'
import { globalsOf, plannedStageOf, wholeNumber } from '../options.ts'
import { renderPlans } from '../render-capacity.ts'
import { synthesize, UnknownStage } from '../synthesize.ts'

/** Shown when no load is named: the load that the defaults are made for, and three steps beyond. */
const FILES_PER_DAY = [100_000, 1_000_000, 10_000_000, 100_000_000]
const KILOBYTES = 50
/** The largest file that is loaded has 32 MiB. */
const KILOBYTES_MAX = 33_000

interface CapacityOptions {
  readonly filesPerDay?: number
  readonly kilobytes: number
  readonly peak: number
}

export function addCapacity(program: Command): void {
  program
    .command('capacity')
    .description('Say what a stage can load, by a simulation of its template, and what must change for more.')
    .option(
      '--files-per-day <number>',
      'the load; 100 thousand, 1, 10 and 100 million if not given',
      wholeNumber(999_999_999),
    )
    .option('--kilobytes <number>', 'of a file, each of 1,000 bytes', wholeNumber(KILOBYTES_MAX), KILOBYTES)
    .option('--peak <factor>', 'how many times the mean the busiest hour has', wholeNumber(24), 1)
    .addHelpText(
      'after',
      '\nSynthesizes the template of the stage (prod if not given), and asks nothing of AWS. How it is computed: docs/capacity.md.' +
        '\n\nExamples:\n  sluice capacity\n  sluice capacity --files-per-day 2000000 --kilobytes 20 --peak 4\n  sluice capacity --stage dev --json',
    )
    .action(async ({ filesPerDay, kilobytes, peak }: CapacityOptions, command: Command) => {
      const { json } = globalsOf(command)
      const stage = plannedStageOf(command)
      const template = await synthesize(stage).catch((error: unknown) => {
        if (error instanceof UnknownStage) command.error(`error: ${error.message}`)
        throw error
      })
      const loads = filesPerDay === undefined ? FILES_PER_DAY : [filesPerDay]
      const plans = loads.map((each) => planCapacity(template, { filesPerDay: each, kilobytes, peak }))
      console.log(json ? JSON.stringify(plans.map(withoutEachFile), null, 2) : renderPlans(stage, plans))
    })
}

/** Millions of files need not be printed one by one. */
function withoutEachFile({ asConfigured, needs, ...plan }: Plan) {
  const summaryOf = ({ batchOf, batchSizes, committedAt, ...summary }: Plan['asConfigured']) => summary
  return { ...plan, asConfigured: summaryOf(asConfigured), needs: { ...needs, simulated: summaryOf(needs.simulated) } }
}
