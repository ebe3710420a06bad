/** The message that ends a drain: counts, reasons, whom to ask, where to look. Pure. */
import type { DrainedGroup } from '../../db/dead-letters.ts'
import { sources } from '../sources/registry.ts'

/** SNS refuses a longer subject for e-mail. */
const SUBJECT_LENGTH = 100

const WORDS: Record<DrainedGroup['status'], string> = {
  loaded: 'loaded',
  poison: 'refused',
  quarantined: 'refused',
  vanished: 'deleted before they could be read',
  attempted: 'still dead',
  dead_letter: 'still dead',
}

/**
 * Writes the notice of a drain.
 *
 * @param groups at least one
 */
export function writeNotice(groups: readonly DrainedGroup[], executionArn: string): { subject: string; text: string } {
  const total = sum(groups)
  const stillDead = sum(groups.filter(({ status }) => WORDS[status] === 'still dead'))
  const subject = `Sluice: ${total} dead letters, ${stillDead === 0 ? 'none left' : `${stillDead} still dead`}`
  const bySource = Map.groupBy(groups, ({ source }) => source)
  const lines = [...bySource].map(([name, group]) => `- ${describeSource(name)}: ${describeOutcomes(group)}`)
  const advice =
    stillDead === 0
      ? 'Refused files are in quarantine with their reasons.'
      : 'What is still dead could not be reached. When the cause is mended, redrive the execution.'
  const text = [`${total} files had been received too often:`, ...lines, '', advice, consoleLink(executionArn)]
  return { subject: subject.slice(0, SUBJECT_LENGTH), text: text.join('\n') }
}

const sum = (groups: readonly DrainedGroup[]): number => groups.reduce((total, { count }) => total + count, 0)

function describeSource(name: string | null): string {
  const source = sources.find((candidate) => candidate.name === name)
  return source === undefined ? 'no source claims them' : `${source.name} (${source.owner})`
}

function describeOutcomes(groups: readonly DrainedGroup[]): string {
  const byWord = Map.groupBy(groups, ({ status }) => WORDS[status])
  return [...byWord]
    .map(([word, group]) => {
      const reasons = group.flatMap(({ reasonKind, count }) => (reasonKind === null ? [] : [`${count} ${reasonKind}`]))
      return `${sum(group)} ${word}${reasons.length > 0 ? ` (${reasons.join(', ')})` : ''}`
    })
    .join(', ')
}

/** https://docs.aws.amazon.com/step-functions/latest/dg/concepts-view-execution-details.html */
function consoleLink(executionArn: string): string {
  const region = executionArn.split(':')[3]
  return `https://${region}.console.aws.amazon.com/states/home?region=${region}#/v2/executions/details/${executionArn}`
}
