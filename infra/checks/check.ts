/** `npm run check`: every check, as many at once as there are processors, and what each says when it is done. */
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import pLimit from 'p-limit'

/** The slowest first, so that the others run beside them. */
const commands = [
  'node infra/checks/templates.ts',
  'tsc',
  'biome check',
  'knip',
  'node infra/checks/secrets.ts',
  'node infra/checks/workflows.ts',
  'node workflows/graph.ts --check',
]

const root = join(import.meta.dirname, '../..')
const inTurn = pLimit(availableParallelism())
const failed: string[] = []

await Promise.all(
  commands.map((command) =>
    inTurn(async () => {
      const started = Date.now()
      const { status, output } = await run(command)
      if (status !== 0) failed.push(command)
      console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${((Date.now() - started) / 1_000).toFixed(1)} s  ${command}`)
      if (output !== '') console.log(output)
    }),
  ),
)
if (failed.length > 0) {
  console.log(`Failed: ${failed.join(', ')}`)
  process.exitCode = 1
}

function run(command: string): Promise<{ status: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    // npm has put the project's programs on the PATH.
    const [program = '', ...args] = command.split(' ')
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    }
    child.once('error', reject)
    child.once('close', (status) => resolve({ status, output: output.trimEnd() }))
  })
}
