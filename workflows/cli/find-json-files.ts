/** Finds the files of a folder that are to be loaded. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CommandFailed } from './errors.ts'

/** A file or folder that could not be read or put. */
export interface Failure {
  readonly path: string
  /** E.g. `EACCES`. */
  readonly why: string
}

export interface FoundFiles {
  /** Paths from the folder on, sorted, with slashes. */
  readonly files: readonly string[]
  readonly passedOver: number
  /** Folders within that could not be read; the others were. */
  readonly failures: readonly Failure[]
}

export const whyOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return 'code' in error && typeof error.code === 'string' ? error.code : `${error.name}: ${error.message}`
}

/**
 * Every file below a folder whose name ends in `.json`. Links to files count as files; links to folders are not followed.
 *
 * @throws {CommandFailed} when the folder itself cannot be read
 */
export async function findJsonFiles(folder: string): Promise<FoundFiles> {
  const files: string[] = []
  const failures: Failure[] = []
  let passedOver = 0

  const pending = ['']
  for (let within = pending.pop(); within !== undefined; within = pending.pop()) {
    const entries = await readdir(join(folder, within), { withFileTypes: true }).catch((error: unknown) => {
      if (within === '') throw new CommandFailed(`the folder '${folder}' cannot be read (${whyOf(error)})`)
      failures.push({ path: within, why: whyOf(error) })
      return []
    })
    for (const entry of entries) {
      const path = within === '' ? entry.name : `${within}/${entry.name}`
      if (entry.isDirectory()) pending.push(path)
      else if (entry.name.endsWith('.json')) files.push(path)
      else passedOver++
    }
  }
  return { files: files.toSorted(), passedOver, failures }
}
