/** Everything the demo puts, in the order it is put. */
import { type BadFile, badFiles } from './bad-files.ts'
import { githubDeliveries } from './deliveries.ts'
import { noiseObjects } from './noise.ts'
import { generateOrders } from './orders.ts'
import type { NewObject } from './put-objects.ts'
import { seededRandom, shuffle } from './random.ts'

export interface DemoInputs {
  readonly deliveries: readonly NewObject[]
  readonly orders: readonly NewObject[]
  readonly bad: readonly BadFile[]
  readonly noise: readonly NewObject[]
  /** All of them, the bad and the noise among the good. */
  readonly shuffled: readonly NewObject[]
}

const ORDERS = 1_000
const SEED = 20

export function makeInputs(): DemoInputs {
  const deliveries = githubDeliveries()
  const orders = generateOrders(ORDERS)
  const noise = noiseObjects()
  const shuffled = shuffle(seededRandom(SEED), [...deliveries, ...orders, ...badFiles, ...noise])
  return { deliveries, orders, bad: badFiles, noise, shuffled }
}
