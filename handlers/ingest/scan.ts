/** Scans of a file's bytes and text that need no parse. */

const LINE_FEED = 0x0a
const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/**
 * Offset of the first bracket or brace that nests deeper than `depthMax`, or undefined. Brackets inside strings do not
 * count. Exact for JSON; for anything else the parser has the last word. In UTF-8 no byte of a longer character can be
 * taken for one of these.
 *
 * @param startsAnewOnLines whether each line is a document of its own, so that one cut off does not deepen the next
 */
export function findTooDeep(bytes: Uint8Array, depthMax: number, startsAnewOnLines = false): number | undefined {
  let depth = 0
  let inString = false
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (startsAnewOnLines && byte === LINE_FEED) {
      depth = 0
      inString = false
    } else if (inString) {
      if (byte === BACKSLASH) at++
      else if (byte === QUOTE) inString = false
    } else if (byte === QUOTE) inString = true
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (++depth > depthMax) return at
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--
  }
  return undefined
}

/**
 * Offset of the first byte that cannot be part of UTF-8 text: the decoder says only that there is one, so the longest
 * prefix it accepts is searched for by halving.
 */
export function findInvalidUtf8(bytes: Uint8Array): number {
  let accepted = 0
  let refused = bytes.length + 1
  while (refused - accepted > 1) {
    const length = (accepted + refused) >> 1
    if (isUtf8Prefix(bytes.subarray(0, length))) accepted = length
    else refused = length
  }
  return accepted
}

function isUtf8Prefix(bytes: Uint8Array): boolean {
  try {
    // As a stream, a character cut off by the end of the prefix is no fault.
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true })
    return true
  } catch {
    return false
  }
}

/** Line and column, both from 1, of an offset in a text. */
export function lineAndColumn(text: string, offset: number): { line: number; column: number } {
  let line = 1
  let lineStart = 0
  // Not by split(): a file may be 32 MiB of line breaks.
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', lineStart)) {
    line++
    lineStart = at + 1
  }
  return { line, column: offset - lineStart + 1 }
}
