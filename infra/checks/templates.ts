/** Checks the templates of all stages: cdk-nag over the constructs, cfn-lint over what is made of them. Part of `npm run check`. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { App, Stack, Token } from 'aws-cdk-lib'
import { stagesOf } from '../app.ts'
import { GithubAccessStack } from '../github-access-stack.ts'
import { PipelineStack } from '../pipeline-stack.ts'
import { type Finding, findingsIn, pathsByIdIn, stale, unexplained } from './findings.ts'

const root = join(import.meta.dirname, '../..')
const outdir = mkdtempSync(join(tmpdir(), 'sluice-templates-'))
process.on('exit', () => rmSync(outdir, { recursive: true, force: true }))

// As cdk.json has it, or other templates would be checked than are deployed.
const { context } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8'))
// An empty list bundles no function: seconds less, and no rule looks at their code.
const app = new App({ outdir, context: { ...context, 'aws:cdk:bundling-stacks': [] } })
// CDK's own rules are some of cfn-lint's, of which all run here: 4 s less. A deployment applies them.
process.env.CDK_VALIDATION = 'false'
for (const [name, stage] of Object.entries(stagesOf(app))) {
  new PipelineStack(app, `Sluice-${name}`, stage)
  if (name !== 'local') new GithubAccessStack(app, `Sluice-${name}-github`, { stage: name, repository: 'owner/name' })
}
app.synth()

// cfn-lint runs while the packs do.
const linted = lint()
const findings = [...findingsIn(app), ...(await linted)]

const missing = unexplained(findings)
const needless = stale(findings)
for (const [place, group] of Map.groupBy(missing, ({ stack, path }) => `${stack}/${path}`)) {
  console.log(place)
  for (const { rule, detail, description } of group) {
    console.log(`  ${rule}${detail === undefined ? '' : `[${detail}]`}: ${description}`)
  }
}
if (missing.length > 0) {
  console.log(
    `${missing.length} findings. Mend them, or say in infra/checks/acknowledged.ts why they are meant to be so.`,
  )
}
for (const entry of needless) console.log(`Acknowledged, and not found any more: ${entry}`)
if (missing.length + needless.length > 0) process.exitCode = 1
else console.log(`Templates: ${findings.length} findings in ${stacks().length} stacks, each with its reason.`)

function stacks(): Stack[] {
  return app.node.findAll().filter(Stack.isStack)
}

/** What cfn-lint finds, warnings too, by the rules of the region that a stack is for. */
async function lint(): Promise<Finding[]> {
  const paths = pathsByIdIn(app)
  const byRegion = Map.groupBy(stacks(), ({ region }) => (Token.isUnresolved(region) ? 'us-east-1' : region))
  const found = [...byRegion].map(async ([region, inRegion]) => {
    const files = inRegion.map(({ templateFile }) => join(outdir, templateFile))
    const answer = await run(join(root, '.sluice/tools/bin/cfn-lint'), [
      ...['--format', 'json', '--regions', region, '--', ...files],
    ])
    return answer.map(({ Filename, Location, Message, Rule }): Finding => {
      const stack = inRegion.find(({ templateFile }) => Filename.endsWith(templateFile))?.stackName ?? Filename
      const [section, id] = Location.Path
      const path = paths.get(`${stack}/${id}`) ?? Location.Path.join('/')
      return { rule: `cfn-lint-${Rule.Id}`, stack, path: section === undefined ? '' : path, description: Message }
    })
  })
  return (await Promise.all(found)).flat()
}

interface Match {
  readonly Filename: string
  readonly Location: { readonly Path: readonly (string | number)[] }
  readonly Message: string
  readonly Rule: { readonly Id: string }
}

function run(command: string, args: readonly string[]): Promise<Match[]> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { maxBuffer: 64 * 2 ** 20 }, (error, stdout, stderr) => {
      // Its exit code says that something was found. When it fails itself, there is no list.
      try {
        resolve(JSON.parse(stdout))
      } catch {
        reject(new Error(`cfn-lint failed: ${stderr || error?.message}`))
      }
    })
  })
}
