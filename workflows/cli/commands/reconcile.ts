import type { Command } from 'commander'
import { type ReconcileFilesOutcome, type ReconcileRequest, reconcileFilesOutcome } from '../../../handlers/contract.ts'
import { CommandFailed } from '../errors.ts'
import { followExecution } from '../follow-execution.ts'
import { formatCount, plural, printable } from '../format.ts'
import { globalsOf, inputPrefix } from '../options.ts'
import { connect, type Stage } from '../stage.ts'
import { startRoute } from '../start-route.ts'

export function addReconcile(program: Command): void {
  program
    .command('reconcile')
    .description(
      'Hold every object version older than an hour against the ledger, and have loaded what it does not know.',
    )
    .option('--prefix <prefix>', 'only keys that start with this', inputPrefix, 'input/')
    .addHelpText(
      'after',
      '\nThe clock does it once a day. A million versions take about two minutes. Ctrl-C stops the waiting, nothing else.' +
        '\n\nExamples:\n  sluice reconcile\n  sluice reconcile --prefix input/orders/ --stage prod --json',
    )
    .action(async ({ prefix }: { prefix: string }, command: Command) => {
      const { stage: stageName, json } = globalsOf(command)
      const outcome = await reconcile(connect(stageName), prefix)
      console.log(json ? JSON.stringify(outcome, null, 2) : renderReconciliation(outcome))
    })
}

/** @throws {CommandFailed} when the execution fails */
async function reconcile(stage: Stage, prefix: string): Promise<ReconcileFilesOutcome> {
  const name = await startRoute(stage, 'reconcile', { trigger: 'reconcile', prefix } satisfies ReconcileRequest)
  console.error(`Started: ${name}`)
  const { status, output, error } = await followExecution(stage, name)
  if (status === 'SUCCEEDED') return reconcileFilesOutcome.parse(output)
  const where = `${name} --stage ${stage.name}`
  throw new CommandFailed(
    `${status} ${error}`.trim() +
      `: see \`sluice execution ${where}\`; when the cause is mended, \`sluice redrive ${where}\` goes on where it was`,
  )
}

export function renderReconciliation({
  prefix,
  listed,
  missing,
  missingExamples,
  ...rest
}: ReconcileFilesOutcome): string {
  const found = missing === 0 ? 'none is missing in the ledger' : `${formatCount(missing)} were missing in the ledger`
  return [
    `${plural(listed, 'version')} under ${printable(prefix)}: ${found}.`,
    ...(missing === 0 ? [] : ['They are being loaded:', ...renderExamples(missingExamples, missing)]),
    ...renderIgnored(rest),
  ].join('\n')
}

/** Names that Sluice is never told of. */
export const renderIgnored = ({ ignored, ignoredExamples }: { ignored: number; ignoredExamples: readonly string[] }) =>
  ignored === 0
    ? []
    : [
        `${plural(ignored, 'version')} ignored: only names that end in .json are loaded`,
        ...renderExamples(ignoredExamples, ignored),
      ]

/** Each key once, so that more versions may be meant than keys are shown. */
const renderExamples = (keys: readonly string[], count: number): string[] => [
  ...keys.map((key) => `  ${printable(key)}`),
  ...(count > keys.length ? ['  ...'] : []),
]
