import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { findSource, sources } from '../../../handlers/sources/registry.ts'

const root = join(import.meta.dirname, '../../..')

describe.each(sources)('the source $name', (source) => {
  const { name, prefix, owner, expectedEveryHours, contractVersion } = source

  test('is named in kebab-case, as its file and its test are', () => {
    expect(name).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/)
    expect(existsSync(join(root, `handlers/sources/${name}.ts`))).toBe(true)
    expect(existsSync(join(root, `test/handlers/sources/${name}.unit.test.ts`))).toBe(true)
  })

  test('lies in a folder under input/, where the bucket notifies', () => {
    expect(prefix).toMatch(/^input\/.*[^/]\/$/)
  })

  test('has somebody to write to, and a time after which to write', () => {
    expect(z.email().safeParse(owner).error).toBeUndefined()
    expect(expectedEveryHours).toBeGreaterThan(0)
    expect(Number.isInteger(contractVersion) && contractVersion >= 1).toBe(true)
  })

  test('claims its keys, and no other source does', () => {
    expect(findSource(`${prefix}a.json`)).toBe(source)
    expect(sources.filter((other) => other !== source && other.prefix.startsWith(prefix))).toEqual([])
    expect(sources.filter((other) => other.name === name)).toEqual([source])
  })
})

test('a key outside of every prefix belongs to no source', () => {
  expect(findSource('input/orders.json')).toBeUndefined()
  expect(findSource('orders/1.json')).toBeUndefined()
})
