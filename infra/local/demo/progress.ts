/** How the demo talks: steps with their times, bars on a terminal, and elsewhere a plain line now and then. */
import { MultiBar } from 'cli-progress'

/** Milliseconds between plain lines. More often fills a build's log, more seldom looks as if it hung. */
const PLAIN_LINE_INTERVAL_MS = 3_000

export const formatCount = (value: number): string => value.toLocaleString('en-US')

export const formatSeconds = (milliseconds: number): string => `${(milliseconds / 1_000).toFixed(1)} s`

const KEYS_LISTED = 10

/** The first ten keys, each on a line, and how many more there are. */
export function formatKeys(keys: readonly string[]): string {
  const omitted = keys.length - KEYS_LISTED
  const lines = keys.slice(0, KEYS_LISTED).map((key) => `    ${key}`)
  return [...lines, ...(omitted > 0 ? [`    and ${formatCount(omitted)} more`] : [])].join('\n')
}

/** Does a piece of work; says on one line what it is and, when it is done, how long it took. */
export async function step<Result>(title: string, work: () => Result | Promise<Result>): Promise<Result> {
  const startedAt = performance.now()
  process.stdout.write(`${title} ... `)
  try {
    const result = await work()
    console.log(formatSeconds(performance.now() - startedAt))
    return result
  } catch (error) {
    console.log('failed')
    throw error
  }
}

export interface Progress {
  /** Sets how far something has come. */
  readonly update: (name: string, value: number) => void
  readonly stop: () => void
}

/** Shows how far several things have come, each from 0 to its total. */
export function showProgress(totals: Readonly<Record<string, number>>): Progress {
  return process.stdout.isTTY ? showBars(totals) : printLines(totals)
}

function showBars(totals: Readonly<Record<string, number>>): Progress {
  const bars = new MultiBar({
    format: '  {name} {bar} {value} of {total}',
    formatValue: (value, _options, type) => (type === 'value' || type === 'total' ? formatCount(value) : String(value)),
    barCompleteChar: '\u{2588}',
    barIncompleteChar: '\u{2591}',
    // Ctrl-C is handled in start.ts.
    gracefulExit: false,
  })
  const width = Math.max(...Object.keys(totals).map((name) => name.length))
  const byName = Object.entries(totals).map(
    ([name, total]) => [name, bars.create(total, 0, { name: name.padEnd(width) })] as const,
  )
  const barOf = new Map(byName)
  const stop = () => {
    process.off('exit', stop)
    bars.stop()
  }
  // Bars switch off the terminal's line wrapping while they are shown.
  process.on('exit', stop)
  return { update: (name, value) => barOf.get(name)?.update(value), stop }
}

function printLines(totals: Readonly<Record<string, number>>): Progress {
  const values = new Map(Object.keys(totals).map((name) => [name, 0]))
  let printed = ''
  const print = () => {
    const parts = [...values].map(
      ([name, value]) => `${name} ${formatCount(value)} of ${formatCount(totals[name] ?? 0)}`,
    )
    const line = `  ${parts.join(', ')}`
    if (line !== printed) console.log(line)
    printed = line
  }
  const timer = setInterval(print, PLAIN_LINE_INTERVAL_MS)
  return {
    update: (name, value) => void values.set(name, value),
    stop: () => {
      clearInterval(timer)
      print()
    },
  }
}
