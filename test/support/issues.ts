/** Tells whether a source takes a file, and why not. */
import { judgeDocument } from '../../handlers/ingest/judge.ts'
import type { Source } from '../../handlers/sources/source.ts'

/** Places and findings of a file that a source refuses, one text each; none when it loads. */
export function issuesOf(source: Source, text: string): string[] {
  const verdict = judgeDocument(source, Buffer.from(text))
  if (verdict.status === 'loaded') return []
  return verdict.reason.issues.map(({ path, expected, found }) => `${path}: expected ${expected}, found ${found}`)
}
