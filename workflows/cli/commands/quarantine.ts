import { type Command, Option } from 'commander'
import { type LedgerAnswer, REFUSALS_MAX } from '../../../handlers/read-ledger/contract.ts'
import { REASON_KINDS } from '../../../handlers/reasons.ts'
import { formatCount, formatTime, plural, printable, renderTable } from '../format.ts'
import { renderIssue } from '../issues.ts'
import { askLedger } from '../ledger.ts'
import { globalsOf, instant, wholeNumber } from '../options.ts'
import { connect } from '../stage.ts'

export function addQuarantine(program: Command): void {
  program
    .command('quarantine')
    .description('List refused files, the newest first, with the first fault of each; count them by reason.')
    .option('--source <name>', 'only files of this source')
    .addOption(new Option('--reason <kind>', 'only files refused for this').choices(Object.keys(REASON_KINDS)))
    .option('--since <time>', 'only files refused since: ISO 8601 in UTC, or 30m, 2h, 3d ago', instant)
    .option('--limit <count>', `how many at most, up to ${REFUSALS_MAX}`, wholeNumber(REFUSALS_MAX), 20)
    .addHelpText(
      'after',
      '\nExamples:\n  sluice quarantine\n  sluice quarantine --source orders --reason contract --since 2h' +
        '\n  sluice quarantine --since 2026-11-24 --limit 500 --json',
    )
    .action(async ({ source, reason: kind, since, limit }, command: Command) => {
      const { stage, json } = globalsOf(command)
      const answer = await askLedger(connect(stage), { question: 'quarantine', source, kind, since, limit })
      console.log(json ? JSON.stringify(answer, null, 2) : renderRefusals(answer))
    })
}

export function renderRefusals({ files, byKind }: LedgerAnswer<'quarantine'>): string {
  if (files.length === 0) return 'No refused files.'
  const [heads, ...rows] = renderTable(
    [
      { head: 'since (UTC)', cell: ({ changedAt }) => formatTime(changedAt) },
      { head: 'source', cell: ({ source }) => source ?? '(none)' },
      { head: 'reason', cell: ({ kind }) => kind },
      { head: 'key', cell: ({ key, status }) => `${printable(key)}${status === 'poison' ? ' (copy pending)' : ''}` },
    ],
    files,
  ).split('\n')
  // Each fault on a line of its own: beside the key it would not fit.
  const lines = rows.flatMap((row, position) => [row, ...describeFault(files[position])])
  const total = byKind.reduce((sum, { count }) => sum + count, 0)
  const counts = byKind.map(({ kind, count }) => `${kind} ${formatCount(count)}`).join(', ')
  return `${[heads, ...lines].join('\n')}\n\n${formatCount(files.length)} of ${plural(total, 'refused file')}: ${counts}\nMore on one: sluice explain <key>`
}

function describeFault(file: LedgerAnswer<'quarantine'>['files'][number] | undefined): string[] {
  if (!file?.firstIssue) return []
  const more = file.otherIssues > 0 ? ` and ${formatCount(file.otherIssues)} more` : ''
  return [`    ${renderIssue(file.firstIssue)}${more}`]
}
