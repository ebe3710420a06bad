// Installs what is missing: the npm packages, and the Python packages of the emulator, or with the argument `tools` those of
// `npm run check`. Runs before `npm start`, `npm test` and `npm run check`, so it is plain JavaScript that an older Node can
// run, imports nothing from node_modules, and costs next to nothing when there is nothing to do. What was installed is noted
// in stamp files, written last.

import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const STATE = join(ROOT, '.sluice')
const MODULES = join(ROOT, 'node_modules')
// Two environments: the tools are over 100 MB that nobody needs who only starts it.
const EMULATOR = {
  what: 'the AWS emulator',
  venv: join(STATE, 'venv'),
  requirements: join(ROOT, 'infra/local/emulator/requirements.txt'),
}
const TOOLS = {
  what: 'the toolbox of `npm run check`',
  venv: join(STATE, 'tools'),
  requirements: join(ROOT, 'infra/local/tools/requirements.txt'),
}
const LOCK = join(STATE, 'setup.lock')

const OLDEST_NODE = [20, 11]
const NODE_FOR_TYPESCRIPT = 24
const OLDEST_PYTHON = [3, 10]

/** An obstacle that the reader has to remove; its message says how. */
class Obstacle extends Error {}

try {
  requireNode()
  const work = whatIsMissing()
  if (work.length > 0) {
    await whileLocked(async () => {
      // Another set-up may have done it while this one waited.
      const results = await Promise.allSettled(whatIsMissing().map(install))
      for (const result of results) if (result.status === 'rejected') throw result.reason
    })
  }
  linkNode()
} catch (error) {
  console.error(error instanceof Obstacle ? `Set-up stopped: ${error.message}` : error)
  process.exit(1)
}

function whatIsMissing() {
  return [npmPackages(), pythonPackages(process.argv[2] === 'tools' ? TOOLS : EMULATOR)].filter(
    ({ stamp, key }) => !existsSync(stamp) || readFileSync(stamp, 'utf8') !== key,
  )
}

async function install({ what, stamp, key, steps }) {
  const started = Date.now()
  console.log(`Installing ${what} ...`)
  rmSync(stamp, { force: true })
  await steps()
  writeFileSync(stamp, key)
  console.log(`Installed ${what} in ${((Date.now() - started) / 1000).toFixed(0)} s.`)
}

function npmPackages() {
  const lockfile = join(ROOT, 'package-lock.json')
  return {
    what: 'the npm packages',
    stamp: join(MODULES, '.setup'),
    key: hash(readFileSync(lockfile), process.platform, process.arch),
    steps: async () => {
      // EBADENGINE warnings of an older host Node are expected: the packages run under the Node that is installed here.
      const args = ['ci', '--loglevel=error', '--no-audit', '--no-fund', '--include=dev', '--include=optional']
      // The npm that called this script, else the one on the PATH.
      const npm = process.env.npm_execpath
      await run(...(npm ? [process.execPath, [npm, ...args]] : ['npm', args]))
    },
  }
}

function pythonPackages({ what, venv, requirements }) {
  const python = findPython(what)
  return {
    what: `${what} for Python ${python.version.join('.')}`,
    stamp: join(venv, '.setup'),
    // The path of the virtual environment is written into it: a moved checkout needs a new one.
    key: hash(readFileSync(requirements), python.version.join('.'), venv),
    steps: async () => {
      rmSync(venv, { recursive: true, force: true })
      await run(python.command, ['-m', 'venv', venv], (output) => {
        const hint = /ensurepip|python3-venv/.test(output)
          ? `Install its venv module first (Debian, Ubuntu: apt-get install python3-venv).`
          : `Try it by hand to see why.`
        return `${python.command} -m venv ${venv} failed. ${hint}`
      })
      const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-compile', '--require-hashes']
      await run(join(venv, 'bin/python'), [...pip, '-r', requirements])
    },
  }
}

/** The first Python that is new enough. Starting one takes 20 ms, so the stamp's key can afford to ask each time. */
function findPython(what) {
  const tooOld = []
  for (const command of ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10']) {
    const { status, stdout } = spawnSync(command, ['-c', 'import sys; print(*sys.version_info[:3])'], {
      encoding: 'utf8',
    })
    if (status !== 0) continue
    const version = stdout.trim().split(' ').map(Number)
    if (isAtLeast(version, OLDEST_PYTHON)) return { command, version }
    tooOld.push(`${command} is ${version.join('.')}`)
  }
  throw new Obstacle(
    `${what} needs Python >= ${OLDEST_PYTHON.join('.')}, and there is none on the PATH` +
      `${tooOld.length > 0 ? ` (${tooOld.join(', ')})` : ''}. Install one (Debian, Ubuntu: apt-get install python3 python3-venv; macOS: brew install python).`,
  )
}

function requireNode() {
  const version = process.versions.node.split('.').map(Number)
  if (!isAtLeast(version, OLDEST_NODE)) {
    throw new Obstacle(
      `Node >= ${OLDEST_NODE.join('.')} is needed to install, and this is ${process.versions.node}. Install a newer one.`,
    )
  }
}

/** npm makes no link node_modules/.bin/node when two packages, here one per platform, both want it. */
function linkNode() {
  const name = `node-${process.platform}-${process.arch}`
  const link = join(MODULES, '.bin/node')
  if (existsSync(link)) return
  if (existsSync(join(MODULES, name, 'bin/node'))) {
    try {
      symlinkSync(`../${name}/bin/node`, link)
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
  } else if (!isAtLeast(process.versions.node.split('.').map(Number), [NODE_FOR_TYPESCRIPT])) {
    throw new Obstacle(
      `Node >= ${NODE_FOR_TYPESCRIPT} is needed, this is ${process.versions.node}, and for ${process.platform}-${process.arch} ` +
        `none can be installed with the packages. Install it (https://nodejs.org, or your version manager) and run this again.`,
    )
  }
}

/** Two set-ups at once, as `npm start` and `npm test` in two terminals, would delete each other's files. */
async function whileLocked(action) {
  mkdirSync(STATE, { recursive: true })
  let isToldToWait = false
  while (true) {
    try {
      writeFileSync(LOCK, String(process.pid), { flag: 'wx' })
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    const holder = Number(readIfThere(LOCK))
    if (holder && !isRunning(holder)) rmSync(LOCK, { force: true })
    else {
      if (!isToldToWait) console.log(`Waiting for another set-up (process ${holder}) ...`)
      isToldToWait = true
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
  const unlock = () => rmSync(LOCK, { force: true })
  process.on('exit', unlock)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1))
  await action()
  unlock()
}

/** Runs a command; its output is shown only when it fails. `explain` makes the first line of the message from it. */
function run(command, args, explain = () => `${[command, ...args].join(' ')} failed.`) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
    child.once('error', (error) => reject(new Obstacle(`${command} cannot be run: ${error.message}`)))
    child.once('close', (status) => {
      if (status === 0) resolve()
      else reject(new Obstacle(`${explain(output)}\n${output.trimEnd()}`))
    })
  })
}

function isAtLeast([major, minor], [wantedMajor, wantedMinor = 0]) {
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)
}

function isRunning(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function hash(...parts) {
  const sum = createHash('sha256')
  for (const part of parts) sum.update(part).update('\0')
  return sum.digest('hex')
}
