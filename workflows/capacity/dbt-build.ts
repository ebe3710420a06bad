/** How long a build of the marts takes, on the writer that loads the files. */

/** A machine, Python, packages from the cache, dbt's own start, and the models that had nothing new. */
const FIXED_SECONDS = 90

/**
 * Seconds of a build for each file that is new, and for each that the marts hold, since most tests of them read all rows.
 * Measured with orders of 50 KB and 113 lines, 2,000 of them new and 100 new of 2,300, on two cores. Nothing here is less certain:
 * runs beside other work took four times as long, and a file with fewer records takes less.
 */
const SECONDS_PER_NEW_KILOBYTE = 0.0012 / 50
const SECONDS_PER_HELD_KILOBYTE = 0.0003 / 50

/** The part that grows with what came since the build before; it never becomes less. */
export const newSeconds = (files: number, kilobytes: number): number => SECONDS_PER_NEW_KILOBYTE * kilobytes * files

/** Days until tests of what the marts hold take a build longer than it may, if nothing is dropped from them. */
export function daysUntilTooLong(filesPerDay: number, kilobytes: number, seconds: number, newFiles: number): number {
  const left = seconds - FIXED_SECONDS - newSeconds(newFiles, kilobytes)
  return Math.max(0, left / (SECONDS_PER_HELD_KILOBYTE * kilobytes * filesPerDay))
}

/** Stages that the builds must be split over, so that they keep step with new files and fill no more than a share of the interval. */
export function stagesForBuilds(
  filesPerSecond: number,
  kilobytes: number,
  intervalSeconds: number,
  share: number,
): number {
  return Math.ceil(newSeconds(filesPerSecond, kilobytes) / (share - FIXED_SECONDS / intervalSeconds))
}

/** An interval of which a build that has nothing to do fills half of its share: the rest is left for files. */
export const shortestInterval = (share: number): number => (2 * FIXED_SECONDS) / share
