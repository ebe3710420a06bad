/** JSON texts of any kind, and what is in one to the last digit. */
import fc from 'fast-check'

const digits = fc.stringMatching(/^(0|[1-9][0-9]{0,30})$/)

/** Number tokens that JavaScript reads, rounds or overflows. */
const numberText = fc
  .tuple(
    fc.constantFrom('', '-'),
    digits,
    fc.stringMatching(/^(\.[0-9]{1,20})?$/),
    fc.stringMatching(/^([eE][+-]?[0-9]{1,3})?$/),
  )
  .map((parts) => parts.join(''))

const stringText = fc.string({ unit: 'binary', maxLength: 12 }).map((text) => JSON.stringify(text))

const space = fc.constantFrom('', '', ' ', '\n', '\t\r\n')

const inside = (open: string, close: string, items: fc.Arbitrary<string>) =>
  fc
    .tuple(space, fc.array(items, { maxLength: 5 }), space)
    .map(([before, texts, after]) => `${open}${before}${texts.join(`${after},`)}${close}`)

const { value } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('null', 'true', 'false'),
    numberText,
    stringText,
    fc.json(),
    inside('[', ']', tie('value')),
    inside(
      '{',
      '}',
      fc
        .tuple(fc.oneof(stringText, fc.constantFrom('"a"', '"a"', '"__proto__"')), space, tie('value'))
        .map(([name, gap, text]) => `${name}${gap}:${text}`),
    ),
  ),
}))

/** A JSON text that keeps the contract of the source `github`, which says nothing of `value`. */
export const jsonText: fc.Arbitrary<string> = value.map((text) => `{"value":${text}}`)

/** The value of a JSON text, as JSON.parse reads it, but each number by its decimal digits: `{ number: '123e-2' }`. */
export function exactValue(text: string): unknown {
  return JSON.parse(text, (_name: string, parsed: unknown, context?: { source?: string }) =>
    typeof parsed === 'number' ? { number: canonical(context?.source ?? '') } : parsed,
  )
}

/** One way of writing each decimal number. */
function canonical(token: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(token) ?? []
  const all = (whole + fraction).replace(/^0+/, '')
  const significant = all.replace(/0+$/, '')
  if (significant === '') return '0'
  return `${sign}${significant}e${Number(exponent) - fraction.length + all.length - significant.length}`
}
