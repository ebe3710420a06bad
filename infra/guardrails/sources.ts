/** Rules on sources: that a key belongs to one of them, and that a silent one is noticed. */
import type { Source } from '../../handlers/sources/source.ts'
import type { Problem } from './built.ts'

/** In a folder under what the bucket tells of. */
const PREFIX = /^input\/.*[^/]\/$/

/**
 * Hours that an alarm can look back: periods of an hour or more may be 7 days in all.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
 */
const LOOK_BACK_HOURS = { min: 1, max: 168 }

const fileOf = ({ name }: Source): string => `handlers/sources/${name}.ts`

export function prefixesNotUnderInput(sources: readonly Source[]): Problem[] {
  return sources
    .filter(({ prefix }) => !PREFIX.test(prefix))
    .map((source) => ({
      at: `Source ${source.name}`,
      says:
        `its prefix is '${source.prefix}', and must be a folder under input/ and end in /: the bucket tells of nothing else, and ` +
        `without the / it would claim its neighbours' files. Make it 'input/${source.name}/' in ${fileOf(source)}.`,
    }))
}

export function prefixesOverlap(sources: readonly Source[]): Problem[] {
  return sources.flatMap((source, index) =>
    sources
      .filter((other, place) => place !== index && source.prefix.startsWith(other.prefix))
      // Of two that are alike the later one is told.
      .filter((other) => source.prefix !== other.prefix || sources.indexOf(other) < index)
      .map((other) => ({
        at: `Source ${source.name}`,
        says:
          `its prefix '${source.prefix}' lies within '${other.prefix}' of ${other.name}, so their order in the registry would ` +
          `decide whose a file is. Give it a folder beside it in ${fileOf(source)}, e.g. 'input/${source.name}/'.`,
      })),
  )
}

/** The alarm counts periods of an hour, so hours are whole. */
export function silenceUnseen(sources: readonly Source[]): Problem[] {
  const { min, max } = LOOK_BACK_HOURS
  return sources.flatMap((source) => {
    const { expectedEveryHours: hours } = source
    // What is no number at all is taken for the least.
    const fitting = Math.min(max, Math.max(min, Math.ceil(hours) || min))
    if (hours === fitting) return []
    return {
      at: `Source ${source.name}`,
      says:
        `a file is expected every ${hours} h, and the alarm on a silent source looks back for ${min} to ${max} whole hours. ` +
        `Make expectedEveryHours ${fitting} in ${fileOf(source)}.`,
    }
  })
}
