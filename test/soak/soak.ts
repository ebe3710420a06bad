/** `npm run test:soak`: everything that can go wrong, for as long as somebody wants. */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import type { ProgramsSoaked } from './programs.ts'

const USAGE = `Runs random programs of everything that can happen, faults at every boundary included, and holds the
ledger against a model after each. Or soaks a laptop cloud: thousands of files, some bad, some twice; workers are
killed, PostgreSQL goes and comes; at the end every version is accounted for, and no process has grown.

  npm run test:soak -- --minutes 10             programs for ten minutes; without it, one
  npm run test:soak -- --minutes 10 --seed 1    the same programs again
  npm run test:soak -- --cloud                  20,000 files, ten minutes; state and logs lie in .sluice/soak/
  npm run test:soak -- --cloud --files 2000 --seed 2
  npm run test:soak -- --help                   this text

Exits 0 without a violation, else 1. Ctrl-C ends it: of programs it prints the sum so far, a cloud is torn down.`

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string' },
    cloud: { type: 'boolean', default: false },
    files: { type: 'string', default: '20000' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
const [minutes, files] = [Number(values.minutes), Number(values.files)]
const seed = Number(values.seed ?? randomInt(2 ** 31))
if (values.help) {
  console.log(USAGE)
} else if (!(minutes > 0) || !Number.isSafeInteger(seed) || !Number.isSafeInteger(files) || files < 1) {
  console.error(
    `--minutes is a number greater than 0, --seed an integer, --files a whole number from 1 on.\n\n${USAGE}`,
  )
  process.exitCode = 2
} else if (values.cloud) {
  await soakTheCloud()
} else {
  await soak()
}

async function soakTheCloud(): Promise<void> {
  const [{ soakCloud }, { renderSoak }] = await Promise.all([import('./cloud.ts'), import('./cloud/report.ts')])
  const report = await soakCloud({ files, seed, onProgress: console.log })
  console.log(`\n${renderSoak(report)}`)
  process.exit(report.violations.length === 0 ? 0 : 1)
}

async function soak(): Promise<void> {
  let soaked: ProgramsSoaked = { programs: 0, counts: new Map(), violations: [] }
  const end = (): void => {
    console.log(describe(soaked))
    process.exit(soaked.violations.length > 0 ? 1 : 0)
  }
  process.once('SIGINT', end)
  console.log(`Seed ${seed}, ${minutes} minutes.`)
  // Functions that run in this process print neither logs nor metrics; said before their modules ask.
  Object.assign(process.env, { POWERTOOLS_LOG_LEVEL: 'SILENT', POWERTOOLS_METRICS_DISABLED: 'true' })
  const { soakPrograms } = await import('./programs.ts')
  soaked = await soakPrograms({
    minutes,
    seed,
    onProgress: (progress) => {
      for (const violation of progress.violations.slice(soaked.violations.length)) console.log(violation.report)
      soaked = progress
      console.log(`${soaked.programs} programs, ${soaked.violations.length} violations`)
    },
  })
  end()
}

function describe({ programs, counts, violations }: ProgramsSoaked): string {
  const faults = [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1))
  const again = violations.map(
    ({ seed, path }) => `  MODEL_SEED=${seed} MODEL_PATH=${path} npx vitest run --project model`,
  )
  return [
    `${programs} programs`,
    ...faults.map(([what, times]) => `${String(times).padStart(8)}  ${what}`),
    `${violations.length} violations${violations.length > 0 ? '. To run them again:' : ''}`,
    ...again,
  ].join('\n')
}
