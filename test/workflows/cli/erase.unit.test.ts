import { expect, test } from 'vitest'
import { renderOutcome, renderPreview } from '../../../workflows/cli/commands/erase.ts'

const counts = { bucket: 'landing', versions: 1, copies: 2, documents: 1, reasons: 0, messages: 0, files: 1_234 }
const outcome = { erasureId: 7, ...counts, cameIn: 0, copiesPending: 0 }

test('what there is of a key is shown before anybody is asked', () => {
  expect(renderPreview('input/orders/\u{1b}.json', { ...counts, cutShort: 0 })).toBe(`\
s3://landing/input/orders/\\u{1b}.json has:
  bucket      1 version, delete markers included
  quarantine  2 versions of copies and reasons
  documents   1 row
  ledger      1,234 rows to be marked, 0 reasons that tell what was found
  messages    0 unreadable messages that name the key`)
})

test('an erasure that was cut short before is told', () => {
  expect(renderPreview('input/1.json', { ...counts, cutShort: 1 })).toContain('cut short before: this one completes it')
})

test('what was removed is told, and what no erasure reaches', () => {
  const text = renderOutcome(outcome).replaceAll('\n', ' ')

  expect(text).toContain('Erased (7): 1 version, 2 versions of copies, 1 document, 0 reasons, 0 messages; 1,234 rows')
  expect(text).toContain('Not reached, and gone when they expire: backups of the database, and what builds')
  expect(text).not.toContain('run it again')
})

test.each([
  [{ cameIn: 1 }, '1 version came in meanwhile and is still there: run it again.'],
  [{ cameIn: 2 }, '2 versions came in meanwhile and are still there: run it again.'],
  [{ copiesPending: 1 }, '1 copy may have been in the making: run it again in a minute.'],
])('%j asks for another run', (changed, expected) => {
  expect(renderOutcome({ ...outcome, ...changed }).replaceAll('\n', ' ')).toContain(expected)
})
