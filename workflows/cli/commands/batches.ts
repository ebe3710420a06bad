import type { Command } from 'commander'
import { BATCHES_MAX, type LedgerAnswer } from '../../../handlers/read-ledger/contract.ts'
import { formatSeconds, formatTime, renderTable } from '../format.ts'
import { askLedger } from '../ledger.ts'
import { globalsOf, wholeNumber } from '../options.ts'
import { connect } from '../stage.ts'

export function addBatches(program: Command): void {
  program
    .command('batches')
    .description('List batches, the newest first: what they held, how long they took, what they started.')
    .option('--limit <count>', `how many at most, up to ${BATCHES_MAX}`, wholeNumber(BATCHES_MAX), 20)
    .addHelpText('after', '\nExamples:\n  sluice batches\n  sluice batches --limit 200 --stage prod --json')
    .action(async ({ limit }, command: Command) => {
      const { stage, json } = globalsOf(command)
      const { batches } = await askLedger(connect(stage), { question: 'batches', limit })
      console.log(json ? JSON.stringify(batches, null, 2) : renderBatches(batches))
    })
}

type Batch = LedgerAnswer<'batches'>['batches'][number]

export function renderBatches(batches: readonly Batch[]): string {
  if (batches.length === 0) return 'No batches yet. Files start them: sluice load --help'
  return renderTable<Batch>(
    [
      { head: 'batch', cell: ({ id }) => String(id), align: 'right' },
      { head: 'received (UTC)', cell: ({ receivedAt }) => formatTime(receivedAt) },
      { head: 'messages', cell: ({ messages }) => messages },
      { head: 'files', cell: ({ files }) => files },
      { head: 'loaded', cell: ({ loaded }) => loaded },
      { head: 'poison', cell: ({ poison }) => poison, isOptional: true },
      { head: 'vanished', cell: ({ vanished }) => vanished, isOptional: true },
      { head: 'repeated', cell: ({ repeated }) => repeated, isOptional: true },
      {
        head: 'took',
        cell: ({ milliseconds }) => (milliseconds === null ? '' : formatSeconds(milliseconds / 1_000)),
        align: 'right',
      },
      { head: 'execution', cell: executionOf },
    ],
    batches,
  )
}

function executionOf({ executionName, startedAt }: Batch): string {
  if (executionName === null) return 'none needed'
  return startedAt === null ? `${executionName} (to be started)` : executionName
}
