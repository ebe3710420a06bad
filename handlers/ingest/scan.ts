/** Scans of a file's bytes and text that need no parse. */

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
 */
export function findTooDeep(bytes: Uint8Array, depthMax: number): number | undefined {
  let depth = 0
  let inString = false
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (inString) {
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
  const before = text.slice(0, offset)
  const lastBreak = before.lastIndexOf('\n')
  return { line: before.split('\n').length, column: offset - lastBreak }
}
