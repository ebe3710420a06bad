/** How many connections a database instance takes. It is not in the template: Aurora derives it from memory. */
import type { Stack } from 'aws-cdk-lib'
import { z } from 'zod'
import {
  findInstanceClass,
  maxConnections,
  serverlessClass,
  unitsFor,
} from '../../workflows/capacity/instance-classes.ts'
import { type Built, builtIn } from './built.ts'

/** With a minimum of 0.5 units or none Aurora allows no more, or what is connected would not fit when it is small. */
const SMALL_MINIMUM_UNITS = 0.5
const SMALL_MINIMUM_CONNECTIONS_MAX = 2_000

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
    const ofClass = findInstanceClass(name.replace(/^db\./, ''))
    if (name === 'db.serverless' && scaling) known.push(serverless(built.path, scaling))
    else if (ofClass === undefined) unknown.push(built)
    else
      known.push({
        path: built.path,
        what: `a ${name}`,
        connections: maxConnections(ofClass) - KEPT_BACK,
        remedyFor: () => 'choose a larger aurora.compute.instanceType',
      })
  }
  return { known, unknown }
}

function serverless(path: string, { MinCapacity, MaxCapacity }: { MinCapacity: number; MaxCapacity: number }): Size {
  const cap = MinCapacity <= SMALL_MINIMUM_UNITS ? SMALL_MINIMUM_CONNECTIONS_MAX : Number.POSITIVE_INFINITY
  return {
    path,
    what: `a serverless instance of ${MinCapacity} to ${MaxCapacity} units`,
    connections: Math.min(maxConnections(serverlessClass(MaxCapacity)), cap) - KEPT_BACK,
    remedyFor(connections) {
      const units = unitsFor(connections + KEPT_BACK)
      const isCapped = connections + KEPT_BACK > cap
      return `raise aurora.compute.maxUnits to ${Math.max(units, MaxCapacity)}${isCapped ? ' and minUnits to 1' : ''}`
    },
  }
}
