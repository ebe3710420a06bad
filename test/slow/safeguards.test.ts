import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { CheckReport } from '../model/check-copy.ts'
import { faultSafeguards } from '../model/fault-safeguards.ts'
import type { Safeguard } from '../model/safeguard.ts'
import { safeguards } from '../model/safeguards.ts'

const root = join(import.meta.dirname, '../..')
/** Everything that programs run, and nothing else. */
const SOURCES = [
  'package.json',
  'db',
  'handlers',
  'infra/local/demo',
  'workflows/capacity',
  'test/model',
  'test/support',
]
/** The same programs each time, so that the table in test/README.md can be compared; concurrency stays real. */
const SEED = '1'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-safeguards-'))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** Checks a copy of the sources, without one of its safeguards if one is given. Nobody's working tree is touched. */
async function checkCopy(removed?: Safeguard): Promise<CheckReport> {
  const copy = mkdtempSync(join(directory, 'copy-'))
  for (const source of SOURCES) cpSync(join(root, source), join(copy, source), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  if (removed !== undefined) {
    const path = join(copy, removed.file)
    const [before, after, ...more] = readFileSync(path, 'utf8').split(removed.text)
    expect([after === undefined, more], `${removed.text} must be in ${removed.file} exactly once`).toEqual([false, []])
    writeFileSync(path, `${before}${removed.replacement}${after}`)
  }
  const { stdout } = await promisify(execFile)('node', ['test/model/check-copy.ts'], {
    cwd: copy,
    env: {
      PATH: process.env.PATH,
      POWERTOOLS_LOG_LEVEL: 'SILENT',
      POWERTOOLS_METRICS_DISABLED: 'true',
      MODEL_SERVER: JSON.stringify(inject('database')),
      MODEL_SEED: SEED,
    },
    maxBuffer: 64 * 1024 * 1024,
  })
  return JSON.parse(stdout)
}

test('with every safeguard, no program finds a difference', async () => {
  expect(await checkCopy()).toMatchObject({ failed: false })
})

// Where functions race, what they do not show at once they show at another time.
test.each([...safeguards, ...faultSafeguards])(
  'without "$name", a program finds a difference',
  { retry: 2 },
  async (safeguard) => {
    const { failed, programs, shrinks, counterexample, error } = await checkCopy(safeguard)
    expect(failed).toBe(true)
    console.log(`${safeguard.name}: program ${programs}, shrunk ${shrinks} times to${counterexample}${error}`)
  },
)
