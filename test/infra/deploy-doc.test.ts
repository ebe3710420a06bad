import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { App } from 'aws-cdk-lib'
import { describe, expect, test } from 'vitest'
import { roles } from '../../db/passwords.ts'
import { stagesOf } from '../../infra/app.ts'

const root = join(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

const page = read('docs/deploy.md')
const { scripts } = JSON.parse(read('package.json'))
const { app, context } = JSON.parse(read('cdk.json'))
const stages = Object.keys(stagesOf(new App())).filter((stage) => stage !== 'local')
const workflows = globSync('.github/workflows/*.yml', { cwd: root }).map((path) => ({ path, text: read(path) }))

/** Each of the first groups of a pattern, once. */
const all = (text: string, pattern: RegExp): string[] => [
  ...new Set(Array.from(text.matchAll(pattern), ([, found = '']) => found)),
]

/** Where commands are told: the page, and the workflows that follow it. */
const told = [page, ...workflows.map(({ text }) => text)].join('\n')

describe('docs/deploy.md and the workflows', () => {
  test('name scripts of package.json', () => {
    const named = all(told, /npm run (?:-s )?([\w:]+)/g)
    expect(named).toEqual(expect.arrayContaining(['deploy', 'deploy:access', 'sluice', 'smoke', 'synth']))
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([])
  })

  test('give context that an app reads', () => {
    const apps = ['infra/app.ts', 'infra/github-access.ts'].map(read).join('\n')
    const known = all(apps, /(?:tryGetContext|fromContext)\(\s*'(\w+)'/g)
    const given = all(told, /-c "?(\w+)=/g)
    expect(given.sort()).toEqual(['providerArn', 'repository', 'stage'])
    expect(given.filter((name) => !known.includes(name))).toEqual([])
  })

  test('use the app of cdk.json, with the bootstrap that CDK makes if nothing else is said', () => {
    expect(app).toBe('node infra/app.ts')
    expect(context).not.toHaveProperty('@aws-cdk/core:bootstrapQualifier')
    expect(scripts['deploy:access']).toContain('node infra/github-access.ts')
    expect(page).toContain("--app 'node infra/github-access.ts'")
  })

  test('use commands of cdk', () => {
    const help = execFileSync('cdk', ['--help'], { cwd: root, encoding: 'utf8' })
    const used = all(told, /npx (?:--no-install )?cdk (\w+)/g)
    expect(used.sort()).toEqual(['bootstrap', 'destroy', 'diff'])
    expect(used.filter((command) => !help.includes(`cdk ${command} `))).toEqual([])
  })

  test('use commands and options of the command line', () => {
    const lines = all(told, /npm run -s sluice -- ([^`\n|]+)/g).map((line) => line.trim())
    expect(lines.length).toBeGreaterThan(3)
    for (const line of lines) {
      const [command = '', ...rest] = line.split(' ')
      const help = execFileSync('node', ['workflows/cli/sluice.ts', command, '--help'], { cwd: root, encoding: 'utf8' })
      for (const option of rest.filter((word) => word.startsWith('--'))) expect(help, line).toContain(option)
    }
  })

  test('name the stages of infra/app.ts', () => {
    const named = all(told, /stage[ =](dev|prod|[a-z]+)\b/g).filter((name) => stages.includes(name))
    expect(named.sort()).toEqual(stages.toSorted())
    const deployed = all(read('.github/workflows/deploy.yml'), /^ {6}stage: (\w+)$/gm)
    expect(deployed).toEqual(stages)
    expect(read('.github/workflows/transform.yml')).toContain(`options: [${stages.join(', ')}]`)
  })

  test('name workflows that are there', () => {
    const named = all(told, /gh workflow run ([\w.-]+)/g)
    expect(named).toEqual(['deploy.yml', 'transform.yml'])
    for (const name of named) expect(existsSync(join(root, '.github/workflows', name)), name).toBe(true)
  })

  test('assume roles in environments that trust them', () => {
    const stack = read('infra/github-access-stack.ts')
    const roles = all(told, /role\/sluice-\$\{\{ \S+ \}\}-github-(\w+)/g)
    expect(roles.sort()).toEqual(['deploy', 'plan', 'transform'])
    for (const role of roles) expect(stack).toContain(`makeRole('${role}'`)
    const environments = workflows.flatMap(({ text }) => all(text, /environment: \$\{\{ [^}]+ \}\}(.*)$/gm))
    expect(environments.sort()).toEqual(['', '-plan', '-transform'])
  })
})

test('CI gives the migration a password for every role', () => {
  const given = all(read('.github/workflows/ci.yml'), /ROLE_(\w+)_PASSWORD:/g).map((role) => role.toLowerCase())
  expect(given.sort()).toEqual([...roles].sort())
})

test('every file that docs/deploy.md links is there, and every heading', () => {
  const headings = page.match(/^##.*$/gm)?.map((line) =>
    line
      .replace(/^#+ /, '')
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  )
  for (const link of all(page, /\]\(([^)]+)\)/g)) {
    if (link.startsWith('#')) expect(headings).toContain(link.slice(1))
    else expect(existsSync(join(root, dirname('docs/deploy.md'), link)), link).toBe(true)
  }
})

describe('every action', () => {
  const uses = workflows.flatMap(({ path, text }) =>
    all(text, /uses: (.+)$/gm).map((action): [string, string] => [path, action]),
  )

  test.each(uses)('of %s is ours, or a commit with its version beside it: %s', (_, action) => {
    expect(action).toMatch(/^(\.\/\.github\/workflows\/[\w-]+\.yml|[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/)
  })

  test('is the same commit everywhere', () => {
    const pinned = new Set(uses.map(([, action]) => action).filter((action) => !action.startsWith('./')))
    expect(new Set([...pinned].map((action) => action.split('@')[0])).size).toBe(pinned.size)
  })
})
