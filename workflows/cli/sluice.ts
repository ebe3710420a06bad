/** The command line of Sluice: `npm run -s sluice -- --help`. Speaks to AWS only; nothing in it works on the laptop alone. */
import { Command } from 'commander'
import { addBackfill } from './commands/backfill.ts'
import { addBatches } from './commands/batches.ts'
import { addCapacity } from './commands/capacity.ts'
import { addCost } from './commands/cost.ts'
import { addErase } from './commands/erase.ts'
import { addExecution } from './commands/execution.ts'
import { addExecutions } from './commands/executions.ts'
import { addExplain } from './commands/explain.ts'
import { addLoad } from './commands/load.ts'
import { addQuarantine } from './commands/quarantine.ts'
import { addReconcile } from './commands/reconcile.ts'
import { addRedrive } from './commands/redrive.ts'
import { addReplay } from './commands/replay.ts'
import { addStatus } from './commands/status.ts'
import { addTransform } from './commands/transform.ts'
import { explainError } from './errors.ts'
import { EXIT_FAILED, EXIT_WRONG_USE } from './exit-codes.ts'
import { globalsOf } from './options.ts'

const HELP = `
Exit codes: 0 done, 1 failed, 2 wrong use, 3 done and something needs attention (status), 130 interrupted.
Uses the AWS credentials and region of the environment (AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL). Stage local
is the cloud of \`npm start\`, unless AWS_ENDPOINT_URL is set.

Examples:
  sluice status                                    is everything accounted for?
  sluice explain input/orders/mine.json            what happened to it?
  sluice quarantine --source orders --since 2h     what was refused, and why?
  sluice load ./exports --source orders            put a folder of files`

const program = new Command('sluice')
  .description('Watch and repair a Sluice pipeline, or put files into it.')
  .addHelpText('after', HELP)
  .configureHelp({ showGlobalOptions: true })
  .option('--stage <name>', 'the deployed stage to work on', 'local')
  .option('--json', 'print JSON for other programs')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : EXIT_WRONG_USE))

const commands = [
  ...[addStatus, addExplain, addQuarantine, addBatches],
  ...[addExecutions, addExecution, addRedrive, addReplay, addTransform],
  ...[addLoad, addReconcile, addBackfill, addErase],
  ...[addCost, addCapacity],
]
for (const add of commands) add(program)

// Whoever reads the output may stop early, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : EXIT_FAILED))

try {
  // Nothing asked is nothing wrong: whoever comes for the first time wants to see what there is.
  await program.parseAsync(process.argv.length > 2 ? process.argv : [...process.argv, '--help'])
} catch (error) {
  console.error(`error: ${explainError(error, globalsOf(program).stage)}`)
  process.exitCode = EXIT_FAILED
}
