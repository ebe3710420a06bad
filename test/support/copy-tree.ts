/** A copy of this tree as it is, uncommitted changes included, for tests that change it. */
import { execFileSync } from 'node:child_process'
import { cpSync, lstatSync, mkdtempSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

/** Returns the folder of the copy, which shares the installed packages. Whoever asks for it deletes it. */
export function copyTree(): string {
  const copy = mkdtempSync(join(tmpdir(), 'sluice-copy-'))
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root })
  // A file that was deleted and not committed is still listed.
  const files = String(listed)
    .split('\0')
    .filter((file) => file !== '' && lstatSync(join(root, file), { throwIfNoEntry: false })?.isFile())
  for (const file of files) cpSync(join(root, file), join(copy, file))
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  return copy
}
