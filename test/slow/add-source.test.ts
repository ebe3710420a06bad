/** Follows the README's "Add a source" to the letter, in a copy of this tree. */
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { copyTree } from '../support/copy-tree.ts'

const root = join(import.meta.dirname, '../..')
let copy: string

beforeAll(() => {
  copy = copyTree()
  // The packages of dbt and of its Python.
  symlinkSync(join(root, '.sluice'), join(copy, '.sluice'))
})
afterAll(() => rmSync(copy, { recursive: true, force: true }))

/** The code blocks of the section, each with the file that the paragraph before it names. */
function readSteps(): { file: string; language: string; code: string }[] {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const [, section = ''] = /^## Add a source$(.*?)^## /ms.exec(readme) ?? []
  const steps = section.matchAll(/`([\w./-]+\.(?:ts|sql|yml))`[^`]*?\n\n```(ts|diff|sql|yaml)\n(.*?)^```$/gms)
  return [...steps].map(([, file = '', language = '', code = '']) => ({ file, language, code }))
}

/** Applies a diff without line numbers: each part must be in the text exactly once. */
function applyDiff(text: string, diff: string): string {
  return diff.split(/^@@\n/m).reduce((result, part) => {
    const lines = part.split('\n').filter((line) => line !== '')
    const side = (mark: '-' | '+') =>
      lines.filter((line) => /^ /.test(line) || line.startsWith(mark)).map((line) => `${line.slice(1)}\n`)
    const before = side('-').join('')
    expect(result.split(before), `README's diff does not fit:\n${part}`).toHaveLength(2)
    return result.replace(before, () => side('+').join(''))
  }, text)
}

const run = (program: string, ...options: string[]) => {
  const { status, stdout, stderr } = spawnSync(join(copy, 'node_modules/.bin', program), options, {
    cwd: copy,
    encoding: 'utf8',
  })
  return { status, output: `${stdout}\n${stderr}` }
}

test('the steps of the README make a source that passes its own test and every check', () => {
  const steps = readSteps()
  expect(steps.map(({ file, language }) => `${language} ${file}`)).toEqual([
    'ts handlers/sources/parcels.ts',
    'diff handlers/sources/registry.ts',
    'diff dbt/models/sources.yml',
    'sql dbt/models/staging/stg_parcels__records.sql',
    'yaml dbt/models/staging/parcels.yml',
    'ts test/handlers/sources/parcels.unit.test.ts',
  ])

  for (const { file, language, code } of steps) {
    const path = join(copy, file)
    writeFileSync(path, language === 'diff' ? applyDiff(readFileSync(path, 'utf8'), code) : code)
  }

  const tests = run('vitest', 'run', '--project', 'unit', 'test/handlers/sources')
  expect(tests.status, tests.output).toBe(0)
  expect(tests.output).toContain('parcels.unit.test.ts')
  const dbt = run('vitest', 'run', '--project', 'dbt', 'test/dbt/models/project.test.ts')
  expect(dbt.status, dbt.output).toBe(0)
  const types = run('tsc')
  expect(types.status, types.output).toBe(0)
  const style = run('biome', 'check')
  expect(style.status, style.output).toBe(0)
})
