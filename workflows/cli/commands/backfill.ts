import type { Command } from 'commander'
import { type BackfillTrial, backfillTrial, type ReconcileRequest } from '../../../handlers/contract.ts'
import { formatCount, plural, printable } from '../format.ts'
import { invokeFunction } from '../ledger.ts'
import { globalsOf, inputPrefix } from '../options.ts'
import { connect, type Stage } from '../stage.ts'
import { startRoute } from '../start-route.ts'
import { renderIgnored } from './reconcile.ts'

/** As workflows/pipeline.asl.json sends them: 5,000, then a wait of 100 s. */
const FILES_PER_SECOND = 50

/** All pages of a dry run together. */
export type BackfillCount = Omit<BackfillTrial, 'next'>

export function addBackfill(program: Command): void {
  program
    .command('backfill')
    .description('Load what lay in the bucket before Sluice did, or before the bucket told of it: every version.')
    .requiredOption('--prefix <prefix>', 'keys that start with this', inputPrefix)
    .option('--why <text>', 'why: it is kept with who and when')
    .option('--dry-run', 'count what would be loaded, and change nothing')
    .addHelpText(
      'after',
      `\nWhat the ledger knows is left alone: \`sluice replay\` loads that again. ${FILES_PER_SECOND} files a second at most.` +
        '\n\nExamples:\n  sluice backfill --prefix input/orders/2025/ --dry-run' +
        '\n  sluice backfill --prefix input/orders/2025/ --why "orders of 2025, from before Sluice"',
    )
    .action(async ({ prefix, why, dryRun }: { prefix: string; why?: string; dryRun?: true }, command: Command) => {
      const { stage: stageName, json } = globalsOf(command)
      const stage = connect(stageName)
      if (dryRun) {
        const count = await countFiles(stage, prefix)
        return console.log(json ? JSON.stringify(count, null, 2) : renderCount(prefix, count))
      }
      if (!why) command.error('error: say --why, or count first with --dry-run')
      const request: ReconcileRequest = { trigger: 'reconcile', isBackfill: true, prefix, why }
      const name = await startRoute(stage, 'backfill', request)
      const follow = `sluice execution ${name} --stage ${stageName}`
      console.log(json ? JSON.stringify({ execution: name }) : `Started: ${name}\nFollow it with: ${follow}`)
    })
}

/** Counts some pages after the other; says on stderr how far it is. */
async function countFiles({ name, lambda }: Stage, prefix: string): Promise<BackfillCount> {
  const functionName = `sluice-${name}-reconcile-files`
  let sums: BackfillCount | undefined
  for (let after: BackfillTrial['next'] = null; ; ) {
    const { next, ...counts } = backfillTrial.parse(
      await invokeFunction(lambda, functionName, { dryRun: true, prefix, after }),
    )
    sums = sums === undefined ? counts : add(sums, counts)
    if (next === null) return sums
    after = next
    console.error(`${formatCount(sums.listed)} versions looked at`)
  }
}

const add = (one: BackfillCount, other: BackfillCount): BackfillCount => ({
  listed: one.listed + other.listed,
  ignored: one.ignored + other.ignored,
  missing: one.missing + other.missing,
  ignoredExamples: one.ignoredExamples.length > 0 ? one.ignoredExamples : other.ignoredExamples,
  missingExamples: one.missingExamples.length > 0 ? one.missingExamples : other.missingExamples,
})

export function renderCount(prefix: string, { listed, missing, missingExamples, ...rest }: BackfillCount): string {
  if (listed === 0) return `No key starts with ${printable(prefix)}.`
  const minutes = Math.ceil(missing / FILES_PER_SECOND / 60)
  const known = listed - missing - rest.ignored
  return [
    `${plural(listed, 'version')} under ${printable(prefix)}:`,
    `${formatCount(missing)} would be loaded` +
      (missing === 0
        ? ''
        : `, in ${plural(minutes, 'minute')} at least, such as ${printable(missingExamples[0] ?? '')}`),
    `${formatCount(known)} are known`,
    ...renderIgnored(rest),
  ].join('\n')
}
