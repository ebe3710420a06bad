/** A process of dbt that takes one command after the other: starting it and reading the project cost more than most runs. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { endWithThisProcess } from '../../../infra/local/ending.ts'
import { DBT, type DbtDatabase, type DbtRun, installDbt, PYTHON, pythonEnvironment } from '../../support/dbt.ts'

/** Variables are part of what is parsed: only commands without them share the project as it was read first. */
const LOOP = `
import json, pathlib, sys
from dbt.cli.main import dbtRunner

results = pathlib.Path(sys.argv[1], "run_results.json")
manifest = dbtRunner().invoke(["parse", "--quiet"]).result
for line in sys.stdin:
    args = json.loads(line)
    results.unlink(missing_ok=True)
    answer = dbtRunner(manifest=None if "--vars" in args else manifest).invoke(args)
    if answer.exception is not None:
        print(answer.exception)
    found = json.loads(results.read_text()) if results.exists() else None
    print("\\x1e" + json.dumps({"status": 0 if answer.success else 1, "results": found}), flush=True)
`

export interface DbtProcess extends AsyncDisposable {
  /** Runs a command, e.g. `run('build', '--select', 'orders')`. */
  readonly run: (...args: readonly string[]) => Promise<DbtRun>
}

export async function startDbt(database: DbtDatabase, env: Readonly<Record<string, string>> = {}): Promise<DbtProcess> {
  await installDbt()
  const child = spawn(PYTHON, ['-c', LOOP, database.target], {
    cwd: DBT,
    env: {
      ...pythonEnvironment,
      ...database.env,
      DBT_PROFILES_DIR: DBT,
      DBT_TARGET_PATH: database.target,
      DBT_LOG_PATH: database.target,
      DBT_USE_COLORS: 'false',
      ...env,
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const forget = endWithThisProcess(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    run: async (...args) => {
      child.stdin.write(`${JSON.stringify(args)}\n`)
      const said: string[] = []
      for (;;) {
        const { done, value: line } = await lines.next()
        const stdout = said.join('\n')
        if (done) throw new Error(`dbt's process has ended.\n${stdout}`)
        if (line.startsWith('\x1e')) return { stdout, ...JSON.parse(line.slice(1)) }
        said.push(line)
      }
    },
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, 'close')
      child.stdin.end()
      await ended
      forget()
    },
  }
}
