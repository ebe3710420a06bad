import type { Command } from 'commander'
import { EXIT_FAILED, EXIT_INTERRUPTED } from '../exit-codes.ts'
import { findJsonFiles } from '../find-json-files.ts'
import { formatCount, plural, printable } from '../format.ts'
import { askLedger } from '../ledger.ts'
import { globalsOf } from '../options.ts'
import { showProgress } from '../progress.ts'
import { type PutOutcome, putFiles } from '../put-files.ts'
import { connect } from '../stage.ts'

const FAILURES_SHOWN = 10

export interface LoadFacts extends PutOutcome {
  readonly bucket: string
  readonly prefix: string
  readonly found: number
  /** Files whose names do not end in .json. */
  readonly passedOver: number
  readonly isInterrupted: boolean
}

export function addLoad(program: Command): void {
  program
    .command('load')
    .description('Put every *.json of a folder into the bucket, under the prefix of a source.')
    .argument('<folder>', 'is searched with the folders within it; what lies where becomes part of the key')
    .requiredOption('--source <name>', 'the source that the files belong to')
    .addHelpText(
      'after',
      '\nCtrl-C stops putting and says how far it came; putting again is harmless.' +
        '\n\nExamples:\n  sluice load ./exports --source orders\n  sluice load ./exports --source orders --stage prod --json',
    )
    .action(async (folder: string, { source }: { source: string }, command: Command) => {
      const { stage: name, json } = globalsOf(command)
      const stage = connect(name)
      const { bucket, sources } = await askLedger(stage, { question: 'landing' })
      const prefix = sources.find((known) => known.name === source)?.prefix
      if (prefix === undefined) {
        const known = sources.map((each) => each.name).join(', ')
        command.error(`error: there is no source '${source}' at stage ${name}; there are: ${known}`)
      }
      const { files, passedOver, failures } = await findJsonFiles(folder)

      const interruption = new AbortController()
      // Once: a second Ctrl-C ends the program at once.
      process.once('SIGINT', () => interruption.abort())
      const progress = showProgress(files.length)
      const outcome = await putFiles(stage.s3, { bucket, prefix, folder, files }, interruption.signal, progress.update)
      progress.stop()

      const facts: LoadFacts = {
        ...{ bucket, prefix, found: files.length, passedOver },
        ...{ put: outcome.put, failures: [...failures, ...outcome.failures] },
        isInterrupted: interruption.signal.aborted,
      }
      console.log(json ? JSON.stringify(facts, null, 2) : renderLoad(facts, name))
      if (facts.isInterrupted) process.exitCode = EXIT_INTERRUPTED
      else if (facts.failures.length > 0) process.exitCode = EXIT_FAILED
    })
}

export function renderLoad(facts: LoadFacts, stage: string): string {
  const { bucket, prefix, found, put, passedOver, failures, isInterrupted } = facts
  const option = stage === 'local' ? '' : ` --stage ${stage}`
  return [
    found === 0
      ? 'The folder holds no file whose name ends in .json: nothing was put.'
      : `${isInterrupted ? 'Interrupted: ' : ''}${formatCount(put)} of ${plural(found, 'file')} put to s3://${bucket}/${prefix}`,
    ...(passedOver > 0 ? [`${plural(passedOver, 'file')} passed over: only names that end in .json are taken`] : []),
    ...(failures.length > 0 ? [`${plural(failures.length, 'file or folder', 'files or folders')} failed:`] : []),
    ...failures.slice(0, FAILURES_SHOWN).map(({ path, why }) => `  ${printable(path)}: ${printable(why)}`),
    ...(failures.length > FAILURES_SHOWN ? [`  and ${formatCount(failures.length - FAILURES_SHOWN)} more`] : []),
    ...(put > 0 ? [`Follow them: sluice status${option}, sluice batches${option}, sluice explain <key>${option}`] : []),
  ].join('\n')
}
