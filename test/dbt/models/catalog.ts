/** What `dbt docs generate` leaves behind: the columns that there are, beside those that are documented. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

const nodes = z.object({ nodes: z.record(z.string(), z.object({ columns: z.record(z.string(), z.unknown()) })) })

/** @returns columns without documentation, and documented columns that there are not, of all models */
export async function compareColumns(target: string): Promise<{ undocumented: string[]; missing: string[] }> {
  const read = async (name: string) => nodes.parse(JSON.parse(await readFile(join(target, name), 'utf8'))).nodes
  const [catalog, manifest] = [await read('catalog.json'), await read('manifest.json')]
  const namesIn = (from: typeof catalog) =>
    Object.entries(from)
      .filter(([id]) => id.startsWith('model.'))
      .flatMap(([id, { columns }]) => Object.keys(columns).map((column) => `${id}.${column}`))
  const there = namesIn(catalog)
  const documented = namesIn(manifest)
  return {
    undocumented: there.filter((name) => !documented.includes(name)),
    missing: documented.filter((name) => !there.includes(name)),
  }
}
