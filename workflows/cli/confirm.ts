/** Asks before something is done that cannot be taken back, or is done many times. */
import { createInterface } from 'node:readline/promises'
import { CommandFailed } from './errors.ts'

/**
 * @param otherwise what to say when the answer is no
 * @throws {CommandFailed} when the answer is no, and where nobody can be asked
 */
export async function confirm(question: string, otherwise: string): Promise<void> {
  if (!process.stdin.isTTY) throw new CommandFailed(`${question} Nobody can be asked here: say --yes`)
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await terminal.question(`${question} [y/N] `)
  terminal.close()
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandFailed(otherwise)
}
