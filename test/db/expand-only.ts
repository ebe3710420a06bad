/** Finds what a migration takes away from the release that still runs while it is applied, and after a rollback. */

/** Says which release stopped using it, in the statement that takes it away. */
const MARKER = /^\s*-- contract: \S/m

const QUOTED = '(?:"[^"]+"|\\w+)'
const TABLE = `(?:${QUOTED}\\.)?${QUOTED}`

const RULES: readonly { readonly what: string; readonly pattern: RegExp }[] = [
  { what: 'drops', pattern: /\bdrop\b(?! not null\b)/i },
  { what: 'empties', pattern: /\btruncate\b/i },
  { what: 'renames', pattern: /\brename\b/i },
  { what: 'moves', pattern: /\bset schema\b/i },
  { what: 'takes a permission away', pattern: /\brevoke\b/i },
  { what: 'changes a type', pattern: new RegExp(`\\balter (column )?${QUOTED} (set data )?type\\b`, 'i') },
  { what: 'forbids null', pattern: /\bset not null\b/i },
  {
    what: 'adds a column that every insert must give',
    pattern: /\badd column\b(?!.*\b(default|generated)\b).*\bnot null\b/i,
  },
]

/** Each statement that breaks the rule, with what it does, e.g. `2 drops: ALTER TABLE ...`. */
export function contractions(migration: string): string[] {
  const statements = migration.split('--> statement-breakpoint')
  const code = statements.map(withoutComments)
  const created = namesIn(code, new RegExp(`\\bcreate table (?:if not exists )?(${TABLE})`, 'gi'))
  const added = namesIn(code, new RegExp(`\\badd column (?:if not exists )?(${QUOTED})`, 'gi'))

  return code.flatMap((statement, index) => {
    if (MARKER.test(statements[index] ?? '')) return []
    const broken = RULES.filter(({ pattern }) => pattern.test(statement)).map(({ what }) => what)
    if (restricts(statement, created, added)) broken.push('refuses rows that were good')
    return broken.map((what) => `${index + 1} ${what}: ${statement}`)
  })
}

/** A constraint or a unique index on what was there before this migration. */
function restricts(statement: string, created: ReadonlySet<string>, added: ReadonlySet<string>): boolean {
  const constraint = new RegExp(`\\balter table (?:only )?(${TABLE}) .*?\\badd constraint .*?\\((.*?)\\)`, 'i')
  const unique = new RegExp(`\\bcreate unique index .*? on (?:only )?(${TABLE}).*?\\((.*?)\\)`, 'i')
  const [, table, columns] = constraint.exec(statement) ?? unique.exec(statement) ?? []
  if (table === undefined || columns === undefined || created.has(plain(table))) return false
  return !columns.split(',').every((column) => added.has(plain(column)))
}

const plain = (name: string): string => name.replaceAll('"', '').trim().toLowerCase()

const namesIn = (statements: readonly string[], pattern: RegExp): ReadonlySet<string> =>
  new Set(statements.flatMap((statement) => [...statement.matchAll(pattern)].map(([, name = '']) => plain(name))))

/** On one line. Text in quotes stays: a statement may be put together from it. */
const withoutComments = (statement: string): string =>
  statement
    .replaceAll(/--.*$/gm, '')
    .replaceAll(/\/\*.*?\*\//gs, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
