/**
 * Says in Markdown how the templates of two checkouts differ: `node infra/github/template-diff.ts <base> <head> [<characters>]`. Both
 * are folders with a synthesized app per stage; longer than so many characters it does not get. Needs no AWS account.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'

const root = join(import.meta.dirname, '../..')
const cdk = join(root, 'node_modules/.bin/cdk')
const [base, head, most = Number.POSITIVE_INFINITY] = process.argv.slice(2)
if (base === undefined || head === undefined) {
  console.error('usage: template-diff.ts <base> <head> [<characters>]')
  process.exit(2)
}
const before: string = base
const after: string = head
const templates = globSync('*/*.template.json', { cwd: after }).toSorted()
/** For each, so that a new stage does not hide the others. What stands around a difference has 200 at most. */
const share = Math.floor(Number(most) / (templates.length || 1)) - 200

/** Above the longest run of backticks in a template: a fence that what stands within cannot end. */
const FENCE = '`'.repeat(8)

const scratch = mkdtempSync(join(tmpdir(), 'sluice-template-diff-'))
const nothing = join(scratch, 'nothing.json')
writeFileSync(nothing, '{}')
try {
  const gone = globSync('*/*.template.json', { cwd: before }).filter((template) => !templates.includes(template))
  const sections = [...templates.map(describe), ...gone.map((template) => `**${nameOf(template)}**: is no more`)]
  console.log(['### Templates, compared with the base', ...sections].join('\n\n'))
} finally {
  rmSync(scratch, { recursive: true })
}

function describe(template: string): string {
  const name = nameOf(template)
  const diff = diffOf(template)
  if (diff === '') return `**${name}**: no change`
  const text = diff.length > share ? `${diff.slice(0, share)}\n... and more: see the summary of the job` : diff
  const heading = existsSync(join(before, template)) ? 'changes' : 'is new'
  return `<details><summary><b>${name}</b>: ${heading}</summary>\n\n${FENCE}\n${text}\n${FENCE}\n\n</details>`
}

/** Empty when there is no difference. */
function diffOf(template: string): string {
  const old = join(before, template)
  const options = ['--app', join(after, dirname(template)), '--template', existsSync(old) ? old : nothing]
  const command = ['diff', nameOf(template), ...options, '--quiet', '--no-color']
  const { stdout, stderr, status } = spawnSync(process.execPath, [cdk, ...command], { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error(`cdk ${command.join(' ')} failed:\n${stdout}${stderr}`)
  const lines = stripVTControlCharacters(`${stdout}${stderr}`).split('\n')
  return lines
    .filter((line) => !/^(Number of stacks with differences|Stack |✨)/.test(line))
    .join('\n')
    .trim()
}

function nameOf(template: string): string {
  return basename(template, '.template.json')
}
