import {
  DescribeExecutionCommand,
  type DescribeExecutionCommandOutput,
  paginateGetExecutionHistory,
} from '@aws-sdk/client-sfn'
import type { Command } from 'commander'
import { findExecution } from '../executions.ts'
import { formatBytes, formatSeconds, formatTime, printable, renderFacts, renderTable, wrap } from '../format.ts'
import { type StateVisit, tellHistory } from '../history.ts'
import { globalsOf } from '../options.ts'
import { connect } from '../stage.ts'

export function addExecution(program: Command): void {
  program
    .command('execution')
    .argument('<name>', 'name or ARN of the execution')
    .description('Show what an execution did: its states in order, attempts, sizes, and what went wrong.')
    .addHelpText('after', '\nExamples:\n  sluice execution batch-20261124T171100Z-42\n  sluice execution <name> --json')
    .action(async (name: string, _options, command: Command) => {
      const { stage: stageName, json } = globalsOf(command)
      const stage = connect(stageName)
      const executionArn = await findExecution(stage, name)
      const execution = await stage.sfn.send(new DescribeExecutionCommand({ executionArn }))
      const events = []
      for await (const page of paginateGetExecutionHistory({ client: stage.sfn, pageSize: 1_000 }, { executionArn })) {
        events.push(...(page.events ?? []))
      }
      const states = tellHistory(events)
      if (json) {
        const { $metadata: _, ...facts } = execution
        console.log(JSON.stringify({ ...facts, states }, null, 2))
      } else console.log(renderExecution(execution, states, events.length))
    })
}

function renderExecution(
  execution: DescribeExecutionCommandOutput,
  states: readonly StateVisit[],
  events: number,
): string {
  const { name = '', status = '', startDate, stopDate, input = '', redriveCount = 0, error, cause } = execution
  const took =
    startDate && stopDate ? `, took ${formatSeconds((stopDate.getTime() - startDate.getTime()) / 1_000)}` : ''
  const facts: [string, string][] = [
    ['execution', name],
    ['status', `${status}${redriveCount > 0 ? `, redriven ${redriveCount} times` : ''}`],
    ['started', `${startDate ? formatTime(startDate) : ''} UTC${took}`],
    ['input', printable(input.length > 200 ? `${input.slice(0, 200)}...` : input)],
    ['history', `${events} events of 25,000`],
  ]
  if (error !== undefined) facts.push(['error', wrap(printable(`${error}: ${lastWords(states) ?? cause ?? ''}`))])
  const advice =
    status === 'FAILED' || status === 'TIMED_OUT' || status === 'ABORTED'
      ? `\n\nWhen the cause is mended: sluice redrive ${name}`
      : ''
  return `${renderFacts(facts)}\n\n${renderStates(states)}${advice}`
}

/** The cause of the execution is that of its last failed state, which is told in words. */
const lastWords = (states: readonly StateVisit[]): string | undefined =>
  states.findLast(({ error }) => error)?.error?.cause

function renderStates(states: readonly StateVisit[]): string {
  return renderTable(
    [
      { head: 'entered (UTC)', cell: ({ enteredAt }) => formatTime(enteredAt) },
      { head: 'state', cell: ({ name, iterations }) => (iterations === null ? name : `  ${name} x ${iterations}`) },
      {
        head: 'took',
        align: 'right',
        cell: ({ enteredAt, exitedAt }) =>
          exitedAt === null ? '-' : formatSeconds((exitedAt.getTime() - enteredAt.getTime()) / 1_000),
      },
      { head: 'attempts', cell: ({ attempts }) => attempts },
      { head: 'in', align: 'right', cell: ({ inputBytes }) => formatBytes(inputBytes) },
      {
        head: 'out',
        align: 'right',
        cell: ({ outputBytes }) => (outputBytes === null ? '-' : formatBytes(outputBytes)),
      },
      { head: 'error', cell: ({ error }) => error?.name ?? '', isOptional: true },
    ],
    states,
  )
}
