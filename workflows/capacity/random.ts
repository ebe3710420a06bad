/** Random numbers that repeat: the same seed gives the same day. */

/** Uniform in [0, 1). */
export type Random = () => number

/**
 * The generator Mulberry32: 32 bits of state are plenty for gaps between files, and for a demo.
 * https://gist.github.com/tommyettinger/46a874533244883189143505d203312c
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A waiting time of no memory, e.g. the gap between independent arrivals. */
export const exponential = (random: Random, mean: number): number => -mean * Math.log(1 - random())

/** Instants in seconds from 0 on, in order, of files that know nothing of each other: a Poisson process. */
export function poissonArrivals(seed: number, filesPerSecond: number, seconds: number): Float64Array {
  const random = seededRandom(seed)
  const instants: number[] = []
  const next = () => exponential(random, 1 / filesPerSecond)
  for (let at = next(); at < seconds; at += next()) instants.push(at)
  return Float64Array.from(instants)
}
