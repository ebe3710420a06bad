import { type Command, InvalidArgumentError } from 'commander'
import { OBJECT_BYTES_MAX } from '../../../handlers/limits.ts'
import { ASSUMPTIONS, type AssumptionName, NOT_IN_THE_BILL } from '../../bill/assumptions.ts'
import { estimateBill, type Load, type Template } from '../../bill/bill.ts'
import { assumedOf } from '../../bill/estimate.ts'
import { findSavings } from '../../bill/savings.ts'
import { readTemplate } from '../../bill/template.ts'
import { batchFills, largestBatch } from '../../bill/traffic.ts'
import { CommandFailed } from '../errors.ts'
import { globalsOf, plannedStageOf } from '../options.ts'
import { type Cost, renderAssumptions, renderCost } from '../render-bill.ts'
import { synthesize, UnknownStage } from '../synthesize.ts'

const HELP = `
Nothing is asked of AWS: the template of the stage (prod if not given) is made here, and prices are those of us-east-1. How many files are in a
batch depends on how Lambda's pollers share them, which AWS does not say: five, two and one of them are shown.

The design that Sluice follows was said to cost $236 a month. Whole, it is $415: it left out Step Functions ($35), NAT
gateways ($78), builds ($19), CloudWatch ($7), keys ($3), backups ($2), data between zones ($2), growth of the database ($15), and
more than half of the requests to S3. docs/cost.md has the rest.

Examples:
  sluice cost
  sluice cost --stage prod --files-per-day 100000 --kilobytes 50
  sluice cost --stage dev --files-per-day 0                         at rest
  sluice cost --stage prod --assume martsShare=0.3 --assume stageAgeMonths=12
  sluice cost --stage prod --assumptions
  sluice cost --template cdk.out/Sluice-prod.template.json --json`

/** At which the bill is said again. */
const AGES_MONTHS = [1, 12, 36]

interface Options {
  readonly filesPerDay: number
  readonly kilobytes: number
  readonly filesPerBatch?: number
  readonly assume: Partial<Record<AssumptionName, number>>
  readonly assumptions?: true
  readonly template?: string
}

export function addCost(program: Command): void {
  program
    .command('cost')
    .description('Estimate the monthly bill of a stage line by line, and what would make it lower.')
    .option('--files-per-day <count>', '0 is a stage at rest', amount(0, 100_000_000), 100_000)
    .option('--kilobytes <size>', 'of a file, on average', amount(0.1, OBJECT_BYTES_MAX / 1_000), 50)
    .option('--files-per-batch <count>', 'instead of what is shown', amount(1, 10_000))
    .option('--assume <name=number>', 'instead of what is assumed; repeatable', assumption, {})
    .option('--assumptions', 'print everything that is assumed, and why')
    .option('--template <file>', 'a synthesized template, instead of a stage')
    .addHelpText('after', HELP)
    .action(async (options: Options, command: Command) => {
      const { json } = globalsOf(command)
      const stage = plannedStageOf(command)
      const template = await templateOf(stage, options, command)
      const most = largestBatch(template)
      if (options.filesPerBatch !== undefined && options.filesPerBatch > most)
        command.error(`error: --files-per-batch ${options.filesPerBatch}: a batch of this stage holds ${most} at most`)
      const cost = costOf(options.template ?? `Stage ${stage}`, template, options)
      if (json) console.log(JSON.stringify({ ...cost, assumptions: explained(cost), NOT_IN_THE_BILL }, null, 2))
      else console.log(options.assumptions ? renderAssumptions(cost.assumed) : renderCost(cost))
    })
}

/** A number within bounds, both included. */
export const amount =
  (least: number, most: number) =>
  (text: string): number => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
    if (!(value >= least && value <= most))
      throw new InvalidArgumentError(`Give a number from ${least} to ${most}, without separators.`)
    return value
  }

function assumption(text: string, before: Options['assume']): Options['assume'] {
  const [, name = '', value] = /^(\w+)=(\d+(?:\.\d+)?)$/.exec(text) ?? []
  if (!Object.hasOwn(ASSUMPTIONS, name)) {
    throw new InvalidArgumentError(`Give <name>=<number>; the names: ${Object.keys(ASSUMPTIONS).join(', ')}.`)
  }
  return { ...before, [name]: Number(value) }
}

async function templateOf(stage: string, { template }: Options, command: Command): Promise<Template> {
  if (template !== undefined) {
    try {
      return readTemplate(template)
    } catch (error) {
      command.error(
        `error: ${template} is no template that can be read: ${error instanceof Error ? error.message : error}`,
      )
    }
  }
  try {
    return await synthesize(stage)
  } catch (error) {
    if (error instanceof UnknownStage) command.error(`error: ${error.message}`)
    throw error
  }
}

export function costOf(
  what: string,
  template: Template,
  options: Pick<Options, 'filesPerDay' | 'kilobytes' | 'filesPerBatch' | 'assume'>,
): Cost {
  const { filesPerDay, kilobytes, filesPerBatch, assume: assumed } = options
  const fills = filesPerBatch === undefined ? batchFills(template, filesPerDay) : [filesPerBatch]
  const loads = fills.map((fill): Load => ({ filesPerDay, kilobytes, filesPerBatch: fill, assumed }))
  const [load] = loads
  if (load === undefined) throw new CommandFailed('no batch size is known')
  return {
    what,
    bills: loads.map((each) => ({ load: each, ...estimateBill(template, each) })),
    savings: findSavings(template, load),
    byAge: Object.fromEntries(
      AGES_MONTHS.map((stageAgeMonths) => {
        const older = { ...load, assumed: { ...assumed, stageAgeMonths } }
        return [stageAgeMonths, estimateBill(template, older).dollarsPerMonth]
      }),
    ),
    assumed: assumedOf(template, load),
  }
}

function explained({ assumed }: Cost) {
  return Object.entries(ASSUMPTIONS).map(([name, { unit, reason }]) => {
    return { name, value: assumed[name as AssumptionName], unit, reason }
  })
}
