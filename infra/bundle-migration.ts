/** Makes the source of the build `migrate`: all that it needs, so that it downloads nothing. */
import { copyFileSync, cpSync } from 'node:fs'
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import { writeCertificates } from './certificates.ts'

const root = join(import.meta.dirname, '..')

/** Writes the program, whole in one file, and beside it the migrations, the buildspec and the certificates. True, as CDK wants it: it is done. */
export function bundleMigration(folder: string): true {
  buildSync({
    absWorkingDir: root,
    entryPoints: ['db/run-migrations.ts'],
    outfile: join(folder, 'run-migrations.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    // The Node of db/buildspec.yml.
    target: 'node22',
    mainFields: ['module', 'main'],
    // pg is CommonJS and calls require for Node's own modules, which ESM does not have.
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    logLevel: 'warning',
  })
  // drizzle-kit's snapshots of the schema are for making migrations, and not for applying them.
  cpSync(join(root, 'db/migrations'), join(folder, 'migrations'), {
    recursive: true,
    filter: (source) => !source.endsWith('_snapshot.json'),
  })
  copyFileSync(join(root, 'db/buildspec.yml'), join(folder, 'buildspec.yml'))
  writeCertificates(folder)
  return true
}
