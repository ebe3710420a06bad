/** The inputs in `workflows/examples/`, by file name without `.json`. */
import { readdirSync, readFileSync } from 'node:fs'
import { parse } from 'node:path'

const folder = new URL('../../workflows/examples/', import.meta.url)

export const examples: ReadonlyMap<string, unknown> = new Map(
  readdirSync(folder).map((file) => [parse(file).name, JSON.parse(readFileSync(new URL(file, folder), 'utf8'))]),
)
