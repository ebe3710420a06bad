/** The template of a stage, by running the CDK app as it is deployed, with nothing bundled: 2 s, no AWS account. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { readTemplate, type Template } from '../bill/template.ts'
import { CommandFailed } from './errors.ts'

const ROOT = join(import.meta.dirname, '../..')

/** The app does not know a stage of this name. */
export class UnknownStage extends Error {
  override readonly name = 'UnknownStage'
}

/**
 * @throws {UnknownStage} naming those that there are
 * @throws {CommandFailed} when the app fails otherwise
 */
export async function synthesize(stage: string): Promise<Template> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-template-'))
  try {
    await runApp(stage, folder)
    return readTemplate(join(folder, `Sluice-${stage}.template.json`))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function runApp(stage: string, folder: string): Promise<void> {
  const { context } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8'))
  const child = spawn(process.execPath, ['infra/app.ts'], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      CDK_OUTDIR: folder,
      // Whether the template may be deployed is the business of `npm run check`, and takes longer than to make it.
      CDK_VALIDATION: 'false',
      // As the CDK CLI gives it. What functions are made of costs nothing, so no stack is bundled.
      CDK_CONTEXT_JSON: JSON.stringify({ ...context, stage, 'aws:cdk:bundling-stacks': [] }),
    },
  })
  const ended = new Promise<number | null>((resolve, reject) => child.on('close', resolve).on('error', reject))
  const [complaints, code] = await Promise.all([text(child.stderr), ended])
  if (code === 0) return
  // With the lines below it that belong to it: each broken rule is one.
  const why = /^\w*Error: (.+(?:\n {2}\[.+)*)/m.exec(complaints)?.[1] ?? complaints.trim()
  if (why.startsWith('Unknown stage')) throw new UnknownStage(why)
  throw new CommandFailed(`the template of stage ${stage} cannot be made: ${why}`)
}
