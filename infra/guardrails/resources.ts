/** The resources that more than one rule looks at. */
import type { Stack } from 'aws-cdk-lib'
import { z } from 'zod'
import { type Built, builtIn, reference } from './built.ts'

const queue = z.object({
  VisibilityTimeout: z.number().default(30),
  MessageRetentionPeriod: z.number().default(4 * 86_400),
  RedrivePolicy: z.object({ deadLetterTargetArn: reference, maxReceiveCount: z.coerce.number() }).optional(),
})

const mapping = z.object({
  EventSourceArn: reference,
  FunctionName: reference,
  MaximumBatchingWindowInSeconds: z.number().default(0),
  // What Lambda scales to where nothing bounds it.
  ScalingConfig: z.object({ MaximumConcurrency: z.number() }).default({ MaximumConcurrency: 1_250 }),
})

const lambdaFunction = z.object({
  Timeout: z.number().default(3),
  ReservedConcurrentExecutions: z.number().optional(),
  Environment: z.object({ Variables: z.record(z.string(), z.unknown()).default({}) }).default({ Variables: {} }),
})

const notification = z.object({
  BucketName: reference,
  NotificationConfiguration: z.object({ QueueConfigurations: z.array(z.object({ QueueArn: reference })).default([]) }),
})

export type Queue = Built<z.output<typeof queue>>
export type Mapping = Built<z.output<typeof mapping>>
export type LambdaFunction = Built<z.output<typeof lambdaFunction>>

export const queuesIn = (stack: Stack): Queue[] => builtIn(stack, 'AWS::SQS::Queue', queue)
export const mappingsIn = (stack: Stack): Mapping[] => builtIn(stack, 'AWS::Lambda::EventSourceMapping', mapping)
export const functionsIn = (stack: Stack): LambdaFunction[] => builtIn(stack, 'AWS::Lambda::Function', lambdaFunction)

/** Who tells whom of files that land. A bucket that was there before is not among the resources. */
export const notificationsIn = (stack: Stack) => builtIn(stack, 'Custom::S3BucketNotifications', notification)

/** A mapping with what it reads from and what it starts. Those of other stacks' queues are left out: nothing is known of them. */
export function feedsIn(stack: Stack): { mapping: Mapping; queue: Queue; target: LambdaFunction }[] {
  const queues = new Map(queuesIn(stack).map((each) => [each.id, each]))
  const functions = new Map(functionsIn(stack).map((each) => [each.id, each]))
  return mappingsIn(stack).flatMap((mapping) => {
    const from = queues.get(mapping.properties.EventSourceArn ?? '')
    const target = functions.get(mapping.properties.FunctionName ?? '')
    return from && target ? [{ mapping, queue: from, target }] : []
  })
}

/** Each queue with its dead-letter queue. */
export function redrivesIn(stack: Stack): { queue: Queue; deadLetterQueue: Queue; receives: number }[] {
  const queues = queuesIn(stack)
  return queues.flatMap((each) => {
    const { RedrivePolicy } = each.properties
    const deadLetterQueue = queues.find(({ id }) => id === RedrivePolicy?.deadLetterTargetArn)
    return RedrivePolicy && deadLetterQueue
      ? [{ queue: each, deadLetterQueue, receives: RedrivePolicy.maxReceiveCount }]
      : []
  })
}

const DAY_SECONDS = 86_400

export const daysOf = (seconds: number): number => seconds / DAY_SECONDS
