/** What a source is: one kind of file, where it lands, who answers for it and what it must look like. */
import { z } from 'zod'

export interface Source {
  /** Kebab-case and unique: the `source` of every row that comes from it. */
  readonly name: string
  /** Keys that start with this belong to the source, e.g. `input/orders/`. */
  readonly prefix: string
  /** Mail address of those who can mend the files: alarms and notices of dead letters will be addressed to them. */
  readonly owner: string
  /**
   * Hours within which another file is to be expected; an alarm on overdue files will go by it. Less than the longest quiet
   * that is normal cries wolf, much more hides for days that the producer has stopped.
   */
  readonly expectedEveryHours: number
  readonly records: RecordLayout
  /** What one record must hold. Loose objects: fields that nobody asked for are kept. */
  readonly contract: z.ZodType
  /** Raised with every change of the contract, so that a reason says which one refused the file. */
  readonly contractVersion: number
}

/**
 * Where a file's records are: the `document` is the one record; an `array` at a path of property names holds them (none is
 * fine); or each of its `lines` is one (NDJSON, stored as one array). Whatever the layout, a file is a row of
 * `raw.documents`, each record is held against the contract, and one bad record makes the file poison.
 */
export type RecordLayout =
  | { readonly kind: 'document' }
  | { readonly kind: 'array'; readonly path: readonly string[] }
  | { readonly kind: 'lines' }

/**
 * A JSON number of any size. JSON.parse reads 1e400 as Infinity and rounds 23 digits, and zod's own `number()` refuses the
 * one; the database gets the file's own text, where both are exact. JSON has no other way to write Infinity.
 */
export const jsonNumber = z.unknown().check((context) => {
  if (typeof context.value === 'number') return
  context.issues.push({ code: 'invalid_type', expected: 'number', input: context.value })
})
