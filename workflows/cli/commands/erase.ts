import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import type { Command } from 'commander'
import {
  type ErasureOutcome,
  type ErasurePreview,
  erasureOutcome,
  erasurePreview,
} from '../../../handlers/erase-file/contract.ts'
import { confirm } from '../confirm.ts'
import { plural, printable, renderFacts, wrap } from '../format.ts'
import { invokeFunction } from '../ledger.ts'
import { globalsOf } from '../options.ts'
import { connect, type Stage } from '../stage.ts'

/** What no erasure reaches. docs/retention.md says for how long each is kept. */
const BEYOND_REACH =
  'Not reached, and gone when they expire: backups of the database, and what builds of the transform left (artifacts, logs). ' +
  'The marts lose its records with the next transform: run `sluice transform`, or wait for it.'

export function addErase(program: Command): void {
  program
    .command('erase')
    .description(
      'Remove for good what a key has held: every version, its copies, its documents. Shows it and asks first.',
    )
    .argument('<key>', 'of the object, beginning with input/')
    .requiredOption('--why <text>', 'why: it is kept with who and when')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      '\nThe ledger keeps that there were such files, and that they were erased. Repeating it is harmless.' +
        '\n\nExamples:\n  sluice erase input/orders/mine.json --why "request 4711 of the customer"' +
        '\n  sluice erase "input/orders/two words.json" --why "put by mistake" --stage prod --yes',
    )
    .action(async (key: string, { why, yes }: { why: string; yes?: boolean }, command: Command) => {
      const { stage: stageName, json } = globalsOf(command)
      const stage = connect(stageName)
      const preview = erasurePreview.parse(await invoke(stage, { preview: true, key }))
      if (!json) console.log(renderPreview(key, preview))
      if (!yes) await confirm('Erase it? It cannot be taken back.', 'nothing was erased')
      const { Arn: requestedBy = 'unknown' } = await stage.sts.send(new GetCallerIdentityCommand())
      const outcome = erasureOutcome.parse(await invoke(stage, { key, requestedBy, why }))
      console.log(json ? JSON.stringify(outcome, null, 2) : renderOutcome(outcome))
    })
}

const invoke = ({ name, lambda }: Stage, request: unknown): Promise<unknown> =>
  invokeFunction(lambda, `sluice-${name}-erase-file`, request)

type Counted = Pick<ErasurePreview, 'versions' | 'copies' | 'documents' | 'reasons' | 'messages' | 'files'>

const renderCounts = (counted: Counted): string =>
  renderFacts(
    [
      ['bucket', `${plural(counted.versions, 'version')}, delete markers included`],
      ['quarantine', `${plural(counted.copies, 'version')} of copies and reasons`],
      ['documents', plural(counted.documents, 'row')],
      [
        'ledger',
        `${plural(counted.files, 'row')} to be marked, ${plural(counted.reasons, 'reason')} that tell what was found`,
      ],
      ['messages', `${plural(counted.messages, 'unreadable message')} that name the key`],
    ],
    '  ',
  )

export function renderPreview(key: string, preview: ErasurePreview): string {
  const title = `s3://${preview.bucket}/${printable(key)} has:`
  const cutShort = preview.cutShort === 0 ? [] : ['An erasure of it was cut short before: this one completes it.']
  return [`${title}\n${renderCounts(preview)}`, ...cutShort].join('\n')
}

export function renderOutcome(outcome: ErasureOutcome): string {
  const { versions, copies, documents, reasons, messages, files, cameIn, copiesPending } = outcome
  return [
    `Erased (${outcome.erasureId}): ${plural(versions, 'version')}, ${plural(copies, 'version')} of copies, ` +
      `${plural(documents, 'document')}, ${plural(reasons, 'reason')}, ${plural(messages, 'message')}; ` +
      `${plural(files, 'row')} of the ledger marked.`,
    ...(cameIn === 0
      ? []
      : [
          `${plural(cameIn, 'version')} came in meanwhile and ${cameIn === 1 ? 'is' : 'are'} still there: run it again.`,
        ]),
    ...(copiesPending === 0
      ? []
      : [`${plural(copiesPending, 'copy', 'copies')} may have been in the making: run it again in a minute.`]),
    BEYOND_REACH,
  ]
    .map((paragraph) => wrap(paragraph))
    .join('\n')
}
