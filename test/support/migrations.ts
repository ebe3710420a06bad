/** Edits a folder of migrations as a release would. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Adds a migration behind the others. */
export function addMigration(folder: string, name: string, text: string): void {
  writeFileSync(join(folder, `${name}.sql`), text)
  editJournal(folder, (entries) => {
    const last = entries.at(-1)
    entries.push({ ...last, idx: entries.length, tag: name, when: Number(last?.when) + 1 })
  })
}

/** Takes the last migration away, as the release before did not have it. */
export function removeLastMigration(folder: string): void {
  editJournal(folder, (entries) => rmSync(join(folder, `${entries.pop()?.tag}.sql`)))
}

function editJournal(folder: string, edit: (entries: Record<string, unknown>[]) => void): void {
  const file = join(folder, 'meta/_journal.json')
  const journal = JSON.parse(readFileSync(file, 'utf8'))
  edit(journal.entries)
  writeFileSync(file, JSON.stringify(journal))
}
