/** What the options of all commands have in common. */
import { type Command, InvalidArgumentError } from 'commander'

export interface GlobalOptions {
  readonly stage: string
  readonly json: boolean
}

/** The options that stand before or after any command. */
export function globalsOf(command: Command): GlobalOptions {
  const { stage, json = false } = command.optsWithGlobals<{ stage: string; json?: boolean }>()
  return { stage, json }
}

/**
 * The stage of a command that looks at its template, and not at what is deployed: prod if none is named. The laptop is no answer to
 * what AWS charges or takes.
 */
export function plannedStageOf(command: Command): string {
  if (command.getOptionValueSourceWithGlobals('stage') === 'default') return 'prod'
  const { stage } = globalsOf(command)
  if (stage === 'local') command.error('error: stage local is not on AWS: name one that is, e.g. --stage prod')
  return stage
}

/** Reads a whole number from 1 to a maximum. */
export const wholeNumber =
  (maximum: number) =>
  (text: string): number => {
    const value = /^[1-9]\d{0,8}$/.test(text) ? Number(text) : 0
    if (value < 1 || value > maximum) throw new InvalidArgumentError(`Give a whole number from 1 to ${maximum}.`)
    return value
  }

/** Reads the start of keys: nothing is loaded from anywhere else. */
export function inputPrefix(text: string): string {
  if (!text.startsWith('input/')) throw new InvalidArgumentError('Give the start of a key: it begins with input/.')
  return text
}

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Reads an instant: ISO 8601 (UTC unless it says otherwise), or a time before now such as `30m`, `2h`, `3d`. */
export function instant(text: string): Date {
  const [, amount, unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? []
  if (amount !== undefined) return new Date(Date.now() - Number(amount) * (UNIT_MS[unit] ?? 0))
  // A date without a zone would be read as the laptop's own time, and everything here is in UTC.
  const hasZone = /^\d{4}-\d\d-\d\d$|(Z|[+-]\d\d:?\d\d)$/.test(text)
  const value = /^\d{4}-\d\d-\d\d/.test(text) ? new Date(hasZone ? text : `${text}Z`) : new Date(Number.NaN)
  if (Number.isNaN(value.getTime())) {
    throw new InvalidArgumentError(
      'Give a time in UTC such as 2026-11-24T17:00, or one before now such as 30m, 2h, 3d.',
    )
  }
  return value
}
