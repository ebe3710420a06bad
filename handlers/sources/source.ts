/** What a source is: one kind of file, where it lands and what it must look like. */
import { z } from 'zod'

export interface Source {
  /** Kebab-case and unique: the `source` of every row that comes from it. */
  readonly name: string
  /** Keys that start with this belong to the source, e.g. `input/orders/`. */
  readonly prefix: string
  /** What a document must hold. Loose objects: fields that nobody asked for are kept. */
  readonly contract: z.ZodType
  /** Raised with every change of the contract, so that a reason says which one refused the file. */
  readonly contractVersion: number
}

/**
 * A JSON number of any size. JSON.parse reads 1e400 as Infinity and rounds 23 digits, and zod's own `number()` refuses the
 * one; the database gets the file's own text, where both are exact. JSON has no other way to write Infinity.
 */
export const jsonNumber = z.unknown().check((context) => {
  if (typeof context.value === 'number') return
  context.issues.push({ code: 'invalid_type', expected: 'number', input: context.value })
})
