import { type Command, Option } from 'commander'
import { fileStatus, type ReplaySelection } from '../../../db/schema.ts'
import { type ReplayTrial, replayTrial } from '../../../handlers/contract.ts'
import { REASON_KINDS } from '../../../handlers/reasons.ts'
import { formatCount, printable } from '../format.ts'
import { renderIssue } from '../issues.ts'
import { invokeFunction } from '../ledger.ts'
import { globalsOf, instant } from '../options.ts'
import { connect, type Stage } from '../stage.ts'
import { startRoute } from '../start-route.ts'

/** Refusals that a dry run shows. All are counted. */
const REFUSALS_SHOWN = 10

export function addReplay(program: Command): void {
  program
    .command('replay')
    .description('Have files loaded again: the refused ones, unless --status says otherwise.')
    .option('--source <name>', 'only files of this source')
    .option('--prefix <prefix>', 'only keys that start with this')
    .option('--since <time>', 'only files put since: ISO 8601 in UTC, or 30m, 2h, 3d ago', instant)
    .option('--until <time>', 'only files put before', instant)
    .addOption(new Option('--reason <kind>', 'only files refused for this').choices(Object.keys(REASON_KINDS)))
    .addOption(new Option('--status <status>', 'only files in this status').choices([...fileStatus.enumValues]))
    .option('--why <text>', 'why: it is kept with who and when')
    .option('--dry-run', 'read and judge the files by the contracts of today, and change nothing')
    .addHelpText(
      'after',
      '\nExamples:\n  sluice replay --source orders --reason contract --dry-run' +
        '\n  sluice replay --source orders --reason contract --why "totals may be text since v2"',
    )
    .action(async ({ why, dryRun, since, until, ...chosen }, command: Command) => {
      const { stage: stageName, json } = globalsOf(command)
      const selection: ReplaySelection = { ...chosen, since: since?.toISOString(), until: until?.toISOString() }
      const stage = connect(stageName)
      if (dryRun) {
        const files = await tryFiles(stage, selection)
        return console.log(json ? JSON.stringify(files, null, 2) : renderTrial(files))
      }
      if (!why) command.error('error: say --why, or try first with --dry-run')
      const name = await startRoute(stage, 'replay', { trigger: 'replay', why, selection })
      console.log(
        json ? JSON.stringify({ execution: name }) : `Started: ${name}\nFollow it with: sluice execution ${name}`,
      )
    })
}

/** Tries page after page; says on stderr how far it is, since each page reads up to 20 files. */
async function tryFiles({ name, lambda }: Stage, selection: ReplaySelection): Promise<ReplayTrial['files']> {
  const files: ReplayTrial['files'][number][] = []
  for (let afterId: number | null = 0; afterId !== null; ) {
    const question = { dryRun: true, selection, afterId }
    const page = replayTrial.parse(await invokeFunction(lambda, `sluice-${name}-replay-files`, question))
    files.push(...page.files)
    afterId = page.nextAfterId
    if (afterId !== null) console.error(`${formatCount(files.length)} files tried`)
  }
  return files
}

export function renderTrial(files: ReplayTrial['files']): string {
  if (files.length === 0) return 'No file is in the selection.'
  const loadable = files.filter(({ outcome }) => outcome === 'loaded').length
  const others = files.filter(({ outcome }) => outcome !== 'loaded')
  const counts = Map.groupBy(others, ({ outcome, reason }) => reason?.kind ?? outcome)
  const summary = [...counts].map(([kind, group]) => `${kind} ${formatCount(group.length)}`).join(', ')
  const shown = others.slice(0, REFUSALS_SHOWN).flatMap(({ key, outcome, reason }) => {
    const [issue] = reason?.issues ?? []
    return [`  ${printable(key)}: ${reason?.kind ?? outcome}`, ...(issue ? [`      ${renderIssue(issue)}`] : [])]
  })
  const more = others.length > REFUSALS_SHOWN ? [`  and ${formatCount(others.length - REFUSALS_SHOWN)} more`] : []
  const headline = `${formatCount(loadable)} of ${formatCount(files.length)} would now load.`
  return others.length === 0 ? headline : [headline, `The others: ${summary}`, ...shown, ...more].join('\n')
}
