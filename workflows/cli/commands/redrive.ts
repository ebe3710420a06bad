import type { Command } from 'commander'
import { confirm } from '../confirm.ts'
import { CommandFailed } from '../errors.ts'
import { findExecution, listExecutions } from '../executions.ts'
import { plural } from '../format.ts'
import { globalsOf } from '../options.ts'
import { examine, type RedriveCandidate, redriveAll } from '../redrive.ts'
import { connect, type Stage } from '../stage.ts'

/** Executions looked at by --all-failed. */
const FAILED_MAX = 10_000

export function addRedrive(program: Command): void {
  program
    .command('redrive')
    .argument('[name]', 'name or ARN of the execution')
    .description('Run failed executions again from the state that failed. What they had done stays done.')
    .option('--all-failed', 'all executions that failed, timed out or were aborted')
    .option('--yes', 'do not ask')
    .addHelpText('after', '\nExamples:\n  sluice redrive dead-letters-20261124T171100Z\n  sluice redrive --all-failed')
    .action(async (name: string | undefined, { allFailed, yes }, command: Command) => {
      if ((name === undefined) === (allFailed === undefined)) command.error('error: give a name, or --all-failed')
      const { stage: stageName, json } = globalsOf(command)
      const stage = connect(stageName)
      const arns = name === undefined ? await findFailed(stage) : [await findExecution(stage, name)]
      const candidates: RedriveCandidate[] = []
      for (const arn of arns) candidates.push(await examine(stage.sfn, arn))
      const redrivable = candidates.filter(({ refusal }) => refusal === null)
      const refused = candidates.filter(({ refusal }) => refusal !== null)
      for (const { name, refusal } of refused) console.error(`AWS would refuse ${name}: ${refusal}`)
      if (redrivable.length === 0) {
        if (refused.length > 0) throw new CommandFailed('nothing can be redriven')
        return console.log(json ? '[]' : 'No execution has failed.')
      }
      if (!yes) await confirm(`Redrive ${plural(redrivable.length, 'execution')}?`, 'nothing was redriven')
      await redriveAll(stage.sfn, redrivable, ({ name }) => {
        if (!json) console.log(`Redriven: ${name}`)
      })
      if (json) console.log(JSON.stringify(redrivable, null, 2))
      else console.log('Follow one with: sluice execution <name>')
    })
}

async function findFailed(stage: Stage): Promise<string[]> {
  const lists = []
  for (const status of ['FAILED', 'TIMED_OUT', 'ABORTED'] as const) {
    lists.push(...(await listExecutions(stage, { status, limit: FAILED_MAX })))
  }
  return await Promise.all(lists.map(({ name }) => findExecution(stage, name)))
}
