import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
let clone: string

/** What a user's shell has: not the path and the variables of the npm script that runs this test. */
function userEnvironment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_|VITEST|INIT_CWD|AWS_)/i.test(name))
  const path = (process.env.PATH ?? '').split(':').filter((entry) => !entry.includes('node_modules/.bin'))
  return { ...Object.fromEntries(own), PATH: path.join(':') }
}

beforeAll(() => {
  clone = mkdtempSync(join(tmpdir(), 'sluice-clone-'))
  // What is committed, as another person gets it.
  execFileSync('git', ['clone', '--quiet', root, clone])
})
afterAll(() => rmSync(clone, { recursive: true, force: true }))

test('`npm start -- --once` as the first command of a fresh clone accounts for every object and exits 0', () => {
  const run = spawnSync('npm', ['start', '--', '--once'], { cwd: clone, env: userEnvironment(), encoding: 'utf8' })
  expect(run.status, `${run.stdout}\n${run.stderr}`).toBe(0)
  expect(run.stdout).toContain('Every object is accounted for')
})
