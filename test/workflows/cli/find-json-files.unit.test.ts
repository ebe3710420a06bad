import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findJsonFiles } from '../../../workflows/cli/find-json-files.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-files-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('files that end in .json are found at any depth, and others are counted', async () => {
  mkdirSync(join(folder, 'a/b c'), { recursive: true })
  for (const name of ['1.json', 'a/ü.json', 'a/b c/2.json', 'a/3.JSON', 'a/4.json.gz', 'readme']) {
    writeFileSync(join(folder, name), '{}')
  }
  expect(await findJsonFiles(folder)).toEqual({
    files: ['1.json', 'a/b c/2.json', 'a/ü.json'],
    passedOver: 3,
    failures: [],
  })
})

test('a link is taken for a file, and a circle of folders is not followed', async () => {
  mkdirSync(join(folder, 'a'))
  symlinkSync('/nowhere', join(folder, 'a/dangling.json'))
  symlinkSync(folder, join(folder, 'a/circle'))
  expect(await findJsonFiles(folder)).toEqual({ files: ['a/dangling.json'], passedOver: 1, failures: [] })
})

test.each(['missing', 'file'])('a folder that is a %s one is refused by its name', async (name) => {
  writeFileSync(join(folder, 'file'), '')
  await expect(findJsonFiles(join(folder, name))).rejects.toMatchObject({
    name: 'CommandFailed',
    message: expect.stringMatching(new RegExp(`${name}' cannot be read \\((ENOENT|ENOTDIR)\\)`)),
  })
})
