/** The command line of Sluice: `npm run -s sluice -- --help`. Reads AWS only; nothing in it works on the laptop alone. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { EXECUTION_STATUSES, listExecutions } from './executions.ts'
import { connect, StageNotFound } from './stage.ts'

const positiveInteger = (text: string): number => {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Give a whole number from 1.')
  return Number(text)
}

const program = new Command('sluice')
  .description('Watch and repair a Sluice pipeline.')
  .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 wrong use.')
  .configureHelp({ showGlobalOptions: true })
  .option('--stage <name>', 'the deployed stage to work on', 'local')
  .option('--json', 'print JSON for other programs')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))

program
  .command('executions')
  .description('List executions of the state machine, the newest first.')
  .addOption(new Option('--status <status>', 'only executions in this status').choices(EXECUTION_STATUSES))
  .option('--limit <count>', 'how many at most', positiveInteger, 20)
  .addHelpText('after', '\nExamples:\n  sluice executions\n  sluice executions --status FAILED --stage prod --json')
  .action(async ({ status, limit }, command: Command) => {
    const { stage, json } = command.optsWithGlobals<{ stage: string; json?: boolean }>()
    const executions = await listExecutions(connect(stage), stage, { status, limit })
    if (json) return console.log(JSON.stringify(executions, null, 2))
    if (executions.length === 0) return console.log(`No executions${status ? ` are ${status}` : ' yet'}.`)
    for (const { name, status, startedAt, seconds } of executions) {
      console.log(
        `${status.padEnd(9)}  ${startedAt}  ${seconds === null ? 'running' : `${seconds.toFixed(1)} s`}  ${name}`,
      )
    }
  })

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof Error)) throw error
  console.error(error instanceof StageNotFound ? error.message : `${error.name}: ${error.message}`)
  process.exitCode = 1
}
