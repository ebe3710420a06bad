// The set-up script is quick when nothing is missing, and says what to do when something is in the way.

import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../..')

// A checkout of its own, and programs that only pretend: the real ones would take away the packages these tests run with.
let checkout: string
beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'sluice-setup-'))
  for (const path of ['infra/local/setup.mjs', 'infra/local/emulator/requirements.txt', 'package-lock.json']) {
    cpSync(join(ROOT, path), join(checkout, path))
  }
  mkdirSync(join(checkout, 'bin'))
  symlinkSync(process.execPath, join(checkout, 'bin/node'))
})
afterEach(() => rmSync(checkout, { recursive: true, force: true }))

test('it takes less than a second, and says nothing, when nothing is missing', () => {
  command('npm', 'mkdir -p node_modules/.bin && touch node_modules/.bin/node')
  command('python3', 'case "$2" in venv) mkdir -p "$3/bin"; cp "$0" "$3/bin/python";; *) echo 3 12 1;; esac')
  const first = runSetup()

  const started = Date.now()
  const { status, stdout, stderr } = runSetup()

  expect(first.stdout).toContain('Installed the npm packages')
  expect(first.stdout).toContain('Installed the AWS emulator for Python 3.12.1')
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' })
  expect(Date.now() - started).toBeLessThan(1_000)
})

test('without Python it says which to install', () => {
  const { status, stderr } = runSetup()

  expect(status).toBe(1)
  expect(stderr).toContain('needs Python >= 3.10, and there is none on the PATH.')
  expect(stderr).toContain('apt-get install python3 python3-venv')
})

test('with too old a Python it says which it found', () => {
  command('python3', 'echo 3 9 18')

  expect(runSetup().stderr).toContain('needs Python >= 3.10, and there is none on the PATH (python3 is 3.9.18).')
})

test('a Python without venv, as on Debian, is told apart, and what was begun does not count as installed', () => {
  command(
    'python3',
    'case "$2" in venv) mkdir -p "$3"; echo "ensurepip is not available"; exit 1;; *) echo 3 12 1;; esac',
  )
  command('npm', 'mkdir -p node_modules')

  const first = runSetup()
  const second = runSetup()

  expect(first.status).toBe(1)
  expect(first.stderr).toContain('apt-get install python3-venv')
  expect(first.stdout).toContain('Installed the npm packages')
  expect(second.stdout).toContain('Installing the AWS emulator for Python 3.12.1')
  expect(second.stdout).not.toContain('npm packages')
})

/** Puts a program on the path that runs a line of shell. */
function command(name: string, line: string) {
  writeFileSync(join(checkout, 'bin', name), `#!/bin/sh\nPATH=/usr/bin:/bin\n${line}\n`)
  chmodSync(join(checkout, 'bin', name), 0o755)
}

function runSetup() {
  const env = { PATH: join(checkout, 'bin') }
  return spawnSync('node', [join(checkout, 'infra/local/setup.mjs')], { env, encoding: 'utf8' })
}
