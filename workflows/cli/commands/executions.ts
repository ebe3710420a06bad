import { type Command, Option } from 'commander'
import { EXECUTION_STATUSES, type ExecutionLine, listExecutions } from '../executions.ts'
import { formatSeconds, formatTime, renderTable } from '../format.ts'
import { globalsOf, wholeNumber } from '../options.ts'
import { connect } from '../stage.ts'

const LIMIT_MAX = 10_000

export function addExecutions(program: Command): void {
  program
    .command('executions')
    .description('List executions of the state machine, the newest first.')
    .addOption(new Option('--status <status>', 'only executions in this status').choices(EXECUTION_STATUSES))
    .option('--limit <count>', `how many at most, up to ${LIMIT_MAX}`, wholeNumber(LIMIT_MAX), 20)
    .addHelpText('after', '\nExamples:\n  sluice executions\n  sluice executions --status FAILED --stage prod --json')
    .action(async ({ status, limit }, command: Command) => {
      const { stage, json } = globalsOf(command)
      const executions = await listExecutions(connect(stage), { status, limit })
      console.log(json ? JSON.stringify(executions, null, 2) : renderExecutions(executions, status))
    })
}

function renderExecutions(executions: readonly ExecutionLine[], status?: string): string {
  if (executions.length === 0) return `No executions${status ? ` are ${status}` : ' yet'}.`
  return renderTable(
    [
      { head: 'status', cell: (line) => line.status },
      { head: 'started (UTC)', cell: (line) => formatTime(new Date(line.startedAt)) },
      {
        head: 'took',
        cell: (line) => (line.seconds === null ? 'running' : formatSeconds(line.seconds)),
        align: 'right',
      },
      { head: 'execution', cell: (line) => line.name },
    ],
    executions,
  )
}
