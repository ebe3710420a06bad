// The note about a running laptop cloud that lies in its state directory: who owns it, what it started, how to reach it.
// It keeps two owners off one directory, and lets the next start clear away what a killed owner left running.

import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandLine, isGoneWithin, signalProcess } from './processes.ts'

/** Something that was started for the cloud. */
export interface Started {
  readonly pid: number
  /** Its command line contains this. Only then is the process with this id still ours and may be ended. */
  readonly marker: string
  /** Whether it leads a process group that ends with it. */
  readonly isGroup: boolean
}

/** The contents of instance.json. It holds the database's password, so only its owner may read it. */
export interface InstanceNote {
  readonly owner: { readonly pid: number; readonly commandLine: string }
  readonly startedAt: string
  readonly started: Readonly<Record<string, Started>>
  readonly endpoint?: string
  readonly database?: { host: string; port: number; user: string; password: string; name: string; url: string }
}

const NOTE = 'instance.json'
/** What an instance leaves behind besides logs, which stay for whoever wonders what happened. */
const LEFTOVERS = [NOTE, 'env', 'tmp', 'cdk.out', 'outputs.json']
const GONE_LIMIT_MILLISECONDS = 5_000
const claimedHere = new Set<string>()

/**
 * Makes this process the owner of the directory, after clearing away what a dead owner left.
 * @throws when a living process owns it
 */
export async function claimInstance(directory: string, name: string): Promise<void> {
  mkdirSync(directory, { recursive: true })
  const note: InstanceNote = {
    owner: { pid: process.pid, commandLine: commandLine(process.pid) ?? '' },
    startedAt: new Date().toISOString(),
    started: {},
  }
  while (!putFirstNote(directory, note)) {
    const previous = readInstance(directory)
    if (previous && isOwnerAlive(directory, previous)) {
      const { pid } = previous.owner
      throw new Error(
        `The laptop cloud '${name}' is already running: process ${pid} (${previous.owner.commandLine}) started it at ` +
          `${previous.startedAt} in ${directory}. Use that one, end it with Ctrl-C or \`kill ${pid}\`, or start one with another name.`,
      )
    }
    await endStarted(previous)
    removeLeftovers(directory)
  }
  claimedHere.add(directory)
}

/** Only one process can, and nobody ever sees half a note: the file appears under its name with its contents. */
function putFirstNote(directory: string, note: InstanceNote): boolean {
  const draft = join(directory, `${NOTE}.${process.pid}`)
  writeFileSync(draft, JSON.stringify(note), { mode: 0o600 })
  try {
    linkSync(draft, join(directory, NOTE))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft)
  }
}

function readInstance(directory: string): InstanceNote | undefined {
  const path = join(directory, NOTE)
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined
}

/** Adds to the note of an instance that this process owns. */
export function updateInstance(directory: string, change: (note: InstanceNote) => InstanceNote): void {
  const note = readInstance(directory)
  if (!note) throw new Error(`${join(directory, NOTE)} is gone. Something else cleared the directory; start again.`)
  const draft = join(directory, `${NOTE}.${process.pid}`)
  writeFileSync(draft, `${JSON.stringify(change(note), null, 2)}\n`, { mode: 0o600 })
  renameSync(draft, join(directory, NOTE))
}

/** Gives the directory up. Logs stay. */
export function releaseInstance(directory: string): void {
  removeLeftovers(directory)
  claimedHere.delete(directory)
}

function isOwnerAlive(directory: string, note: InstanceNote): boolean {
  // In a container a new process may well have the id, and the command line, of the killed one.
  if (note.owner.pid === process.pid) return claimedHere.has(directory)
  return commandLine(note.owner.pid) === note.owner.commandLine
}

async function endStarted(note: InstanceNote | undefined): Promise<void> {
  for (const { pid, marker, isGroup } of Object.values(note?.started ?? {})) {
    if (!commandLine(pid)?.includes(marker)) continue
    signalProcess(isGroup ? -pid : pid, isGroup ? 'SIGKILL' : 'SIGQUIT')
    await isGoneWithin(GONE_LIMIT_MILLISECONDS, pid)
  }
}

function removeLeftovers(directory: string): void {
  for (const name of LEFTOVERS) rmSync(join(directory, name), { recursive: true, force: true, maxRetries: 5 })
}
