/** How many connections a database instance takes. It is not in the template: Aurora derives it from memory. */
import type { Stack } from 'aws-cdk-lib'
import { z } from 'zod'
import { type Built, builtIn } from './built.ts'

/** Memory by instance size, in GiB, of classes that Aurora PostgreSQL 17 runs on. Those of a family are alike. */
const MEMORY_GIB: readonly {
  readonly families: readonly string[]
  readonly bySize: Readonly<Record<string, number>>
}[] = [
  { families: ['t3', 't4g'], bySize: { medium: 4, large: 8 } },
  {
    families: ['r5', 'r6g', 'r6gd', 'r6i', 'r7g', 'r7i', 'r8g'],
    bySize: { large: 16, xlarge: 32, '2xlarge': 64, '4xlarge': 128, '8xlarge': 256, '12xlarge': 384, '16xlarge': 512 },
  },
]

/** A unit of Serverless v2, in GiB. */
const UNIT_GIB = 2

/** `max_connections`: `LEAST({DBInstanceClassMemory/9531392}, 5000)`. */
const BYTES_PER_CONNECTION = 9_531_392
const CONNECTIONS_MAX = 5_000

/** With a minimum of 0.5 units or none Aurora allows no more, or what is connected would not fit when it is small. */
const SMALL_MINIMUM_UNITS = 0.5
const SMALL_MINIMUM_CONNECTIONS_MAX = 2_000

/**
 * What of the nominal memory counts: the system takes its part first. AWS's list has 189 where 2 GiB would be 225, and larger
 * ones keep more. Higher promises connections that are refused, lower asks for a larger instance too soon.
 */
const MEMORY_SHARE = 0.84

/**
 * Not for us: 3 that PostgreSQL keeps for superusers and 2 that RDS keeps, 3 for AWS's automation, 6 for the rotation of each
 * secret, and a few for people who look into an incident.
 */
const KEPT_BACK = 20

const cluster = z.object({
  ServerlessV2ScalingConfiguration: z.object({ MinCapacity: z.number(), MaxCapacity: z.number() }).optional(),
})

const instance = z.object({ DBInstanceClass: z.string() })

/** What its smallest instance takes of ours: each may be the writer after a failure. */
export interface Size {
  readonly path: string
  /** E.g. `a db.t4g.medium`. */
  readonly what: string
  readonly connections: number
  /** How to have room for so many. */
  readonly remedyFor: (connections: number) => string
}

/** Sizes of the instances, and the instances of which nobody knows. Neither where there is no Aurora. */
export function sizesIn(stack: Stack): { known: Size[]; unknown: Built<{ DBInstanceClass: string }>[] } {
  const scaling = builtIn(stack, 'AWS::RDS::DBCluster', cluster).flatMap(
    ({ properties }) => properties.ServerlessV2ScalingConfiguration ?? [],
  )[0]
  const known: Size[] = []
  const unknown: Built<{ DBInstanceClass: string }>[] = []
  for (const built of builtIn(stack, 'AWS::RDS::DBInstance', instance)) {
    const { DBInstanceClass: name } = built.properties
    const memory = memoryOf(name)
    if (name === 'db.serverless' && scaling) known.push(serverless(built.path, scaling))
    else if (memory === undefined) unknown.push(built)
    else
      known.push({
        path: built.path,
        what: `a ${name}`,
        connections: connectionsIn(memory, CONNECTIONS_MAX),
        remedyFor: () => 'choose a larger aurora.compute.instanceType',
      })
  }
  return { known, unknown }
}

/** As the class is written in `infra/app.ts`: without `db.`. */
export const KNOWN_CLASSES = MEMORY_GIB.map(
  ({ families, bySize }) => `${families.join(', ')} (${Object.keys(bySize).join(', ')})`,
).join('; ')

function memoryOf(instanceClass: string): number | undefined {
  const [, family = '', size = ''] = instanceClass.split('.')
  return MEMORY_GIB.find(({ families }) => families.includes(family))?.bySize[size]
}

function connectionsIn(memoryGib: number, cap: number): number {
  return Math.floor(Math.min((memoryGib * MEMORY_SHARE * 1024 ** 3) / BYTES_PER_CONNECTION, cap)) - KEPT_BACK
}

function serverless(path: string, { MinCapacity, MaxCapacity }: { MinCapacity: number; MaxCapacity: number }): Size {
  const capOf = (minUnits: number) =>
    minUnits <= SMALL_MINIMUM_UNITS ? SMALL_MINIMUM_CONNECTIONS_MAX : CONNECTIONS_MAX
  return {
    path,
    what: `a serverless instance of ${MinCapacity} to ${MaxCapacity} units`,
    connections: connectionsIn(MaxCapacity * UNIT_GIB, capOf(MinCapacity)),
    remedyFor(connections) {
      // Units come in halves.
      const bytes = (connections + KEPT_BACK) * BYTES_PER_CONNECTION
      const units = Math.ceil((2 * bytes) / (UNIT_GIB * MEMORY_SHARE * 1024 ** 3)) / 2
      const isCapped = connections + KEPT_BACK > capOf(MinCapacity)
      return `raise aurora.compute.maxUnits to ${Math.max(units, MaxCapacity)}${isCapped ? ' and minUnits to 1' : ''}`
    },
  }
}
