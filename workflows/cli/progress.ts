/** Shows how far a long command has come: a bar on a terminal, elsewhere a plain line now and then. */
import { SingleBar } from 'cli-progress'
import { formatCount } from './format.ts'

/** Milliseconds between plain lines. More often fills a build's log, more seldom looks as if it hung. */
const PLAIN_LINE_INTERVAL_MS = 3_000

export interface Progress {
  readonly update: (done: number) => void
  readonly stop: () => void
}

/** All of it goes to stderr: what a command has to say, and its JSON, goes to stdout. */
export function showProgress(total: number): Progress {
  if (total === 0) return { update: () => {}, stop: () => {} }
  return process.stderr.isTTY ? showBar(total) : printLines(total)
}

function showBar(total: number): Progress {
  const bar = new SingleBar({
    format: '{bar} {value} of {total} files, {eta_formatted} left',
    barCompleteChar: '\u{2588}',
    barIncompleteChar: '\u{2591}',
    stream: process.stderr,
    // Ctrl-C is the command's.
    gracefulExit: false,
  })
  bar.start(total, 0)
  // A bar hides the cursor and switches line wrapping off; a program that ends early gives them back.
  const stop = () => {
    process.off('exit', stop)
    bar.stop()
  }
  process.on('exit', stop)
  return { update: (done) => bar.update(done), stop }
}

function printLines(total: number): Progress {
  let done = 0
  const print = () => console.error(`${formatCount(done)} of ${formatCount(total)} files`)
  print()
  const timer = setInterval(print, PLAIN_LINE_INTERVAL_MS)
  return {
    update: (value) => {
      done = value
    },
    stop: () => {
      clearInterval(timer)
      print()
    },
  }
}
