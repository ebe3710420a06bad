import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../../..')
const DOCUMENT = join(ROOT, 'docs/capacity.md')
/** The app is run for its template, and four loads are simulated: some seconds, more on a busy machine. */
const LIMIT_MS = 60_000

const sluice = (...args: string[]) =>
  promisify(execFile)(process.execPath, [join(ROOT, 'workflows/cli/sluice.ts'), 'capacity', ...args], {
    env: { PATH: process.env.PATH },
  })

test(
  'docs/capacity.md shows what the command prints',
  async () => {
    const { stdout } = await sluice()

    const document = readFileSync(DOCUMENT, 'utf8')
    const printed = document.replace(/^```\n[\s\S]*?^```$/m, () => `\`\`\`\n${stdout}\`\`\``)
    // With -u this writes the document.
    await expect(printed).toMatchFileSnapshot(DOCUMENT)
  },
  LIMIT_MS,
)

test(
  'one load as JSON: what is configured, needed, simulated, and must change, without each of the files',
  async () => {
    const { stdout } = await sluice('--json', '--files-per-day', '100000', '--kilobytes', '20')

    const [plan, ...others] = JSON.parse(stdout)
    expect(others).toEqual([])
    expect(plan).toMatchObject({
      load: { filesPerDay: 100_000, kilobytes: 20 },
      configured: { batchSize: 100, windowSeconds: 55 },
      needs: { stages: 1, simulated: { isUnstable: false } },
      dollarsPerMonth: expect.any(Number),
    })
    expect(stdout.length).toBeLessThan(10_000)
  },
  LIMIT_MS,
)

test(
  'an unknown stage is wrong use, and those that there are are named',
  async () => {
    const failure = await sluice('--stage', 'nowhere').catch((error: unknown) => error)

    expect(failure).toMatchObject({ code: 2, stderr: expect.stringContaining("Unknown stage 'nowhere'") })
  },
  LIMIT_MS,
)
