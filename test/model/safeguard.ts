/**
 * What keeps the promises, and how each is taken away: an exact text of a source file and what stands in its place. A text
 * that is no longer there, or there twice, fails the test, so that this list cannot grow stale.
 */
export interface Safeguard {
  readonly name: string
  readonly file: string
  readonly text: string
  readonly replacement: string
}

export const guard = (name: string, file: string, text: string, replacement: string): Safeguard => ({
  name,
  file,
  text,
  replacement,
})
