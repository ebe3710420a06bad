/** Lints GitHub's workflows for `npm run check`: actionlint for what would not run, zizmor for what would let somebody in. */
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createLinter } from 'actionlint'

const root = join(import.meta.dirname, '../..')

/** What came after actionlint's npm package, which is of December 2022. Nothing else is passed over. */
const NEWER: readonly RegExp[] = [
  // A runner that is named, unlike `ubuntu-latest`, changes when we say so.
  /^label "ubuntu-24\.04" is unknown\b/,
  // Variables of the repository and its environments.
  /^undefined variable "vars"/,
]

async function lintWorkflow(path: string): Promise<string[]> {
  // One for each file: it falls over the second.
  const lint = await createLinter()
  return lint(readFileSync(join(root, path), 'utf8'), path)
    .filter(({ message }) => !NEWER.some((known) => known.test(message)))
    .map(({ file, line, column, message, kind }) => `${file}:${line}:${column}: ${message} [${kind}]`)
}

const workflows = globSync('.github/workflows/*.{yml,yaml}', { cwd: root }).toSorted()
const findings = (await Promise.all(workflows.map(lintWorkflow))).flat()
for (const finding of findings) console.error(finding)

// Offline: an audit that asks GitHub would let the check fail for reasons that are not in the repository. Of its personas the
// pedantic one, since what it finds in so few files can be mended. It reads dependabot.yml too.
const zizmor = join(root, '.sluice/tools/bin/zizmor')
const options = ['--offline', '--no-progress', '--quiet', '--persona=pedantic', '--strict-collection', '.github']
const { status, error, stdout, stderr } = spawnSync(zizmor, options, { cwd: root, encoding: 'utf8' })
if (error) console.error(`zizmor cannot be run (${error.message}): node infra/local/setup.mjs tools`)
else if (status !== 0) console.error(`${stdout}${stderr}`.trimEnd())

// The linter's WebAssembly never ends by itself.
process.exit(findings.length > 0 || status !== 0 ? 1 : 0)
