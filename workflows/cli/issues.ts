import type { Issue } from '../../db/schema.ts'
import { printable } from './format.ts'

/** One fault of a file in a line: where, what was expected and found, which rule. */
export function renderIssue({ path, rule, expected, found }: Issue): string {
  return printable(`${path}: expected ${expected}, found ${found} (${rule})`)
}
