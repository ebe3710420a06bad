/** The rule on the build of the marts: that one is over when the next is due. */
import type { Stack } from 'aws-cdk-lib'
import { z } from 'zod'
import { builtIn, type Problem } from './built.ts'

const project = z.object({
  TimeoutInMinutes: z.number().default(60),
  QueuedTimeoutInMinutes: z.number().default(480),
  Environment: z.object({
    EnvironmentVariables: z.array(z.object({ Name: z.string(), Value: z.unknown() })).default([]),
  }),
})

/** The interval that the build itself is told: whoever takes the lease goes by it, and the clock asks for the lease too. */
const INTERVAL = 'TRANSFORM_INTERVAL_MINUTES'

export function buildsOverlap(stack: Stack): Problem[] {
  return builtIn(stack, 'AWS::CodeBuild::Project', project).flatMap(({ path, properties }) => {
    const told = properties.Environment.EnvironmentVariables.find(({ Name }) => Name === INTERVAL)
    if (told === undefined) return []
    const interval = Number(told.Value)
    const { TimeoutInMinutes: builds, QueuedTimeoutInMinutes: waits } = properties
    if (builds + waits <= interval) return []
    return {
      at: path,
      says:
        `a build may wait ${waits} min and run ${builds} min, ${builds + waits} min in all, longer than the ${interval} min from ` +
        'one to the next, so slow ones would queue up for ever. ' +
        `Raise transformInterval to ${builds + waits} min, or lower the timeouts in transform.ts.`,
    }
  })
}
