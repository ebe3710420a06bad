/** Makes the source of the build `transform`: dbt's project with its program, and the certificates of the database. */
import { cpSync } from 'node:fs'
import { basename, join } from 'node:path'
import { writeCertificates } from './certificates.ts'

/** What running dbt by hand leaves behind. */
const LEFTOVERS = ['target', 'logs', 'packages', '__pycache__', '.user.yml']

/** True, as CDK wants it: it is done. */
export function bundleTransform(folder: string): true {
  cpSync(join(import.meta.dirname, '../dbt'), folder, {
    recursive: true,
    filter: (source) => !LEFTOVERS.includes(basename(source)) && !source.endsWith('.pyc'),
  })
  writeCertificates(folder)
  return true
}
