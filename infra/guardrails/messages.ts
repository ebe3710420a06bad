/** Rules on queues: that a message is loaded in time, is not received while it is, and is not lost when it cannot be. */
import type { Stack } from 'aws-cdk-lib'
import { PUT_TO_COMMIT_P99_MAX_SECONDS } from '../../handlers/limits.ts'
import type { Problem } from './built.ts'
import { daysOf, feedsIn, notificationsIn, redrivesIn } from './resources.ts'

/** AWS's rule for queues that feed Lambda. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html */
const TIMEOUTS_HIDDEN = 6

/** Seconds for which the database may be gone without a dead letter: a restart, a failover, a bad evening. */
const OUTAGE_SECONDS = 3_600

/** SQS keeps nothing for longer. */
const RETENTION_MAX_DAYS = 14

/** A message stays hidden for as long as its batch, and Lambda's own tries at starting it, may take. */
export function hiddenTooShort(stack: Stack): Problem[] {
  return feedsIn(stack).flatMap(({ mapping, queue, target }) => {
    const { VisibilityTimeout: hidden } = queue.properties
    const { MaximumBatchingWindowInSeconds: window } = mapping.properties
    const { Timeout: timeout } = target.properties
    const needed = TIMEOUTS_HIDDEN * timeout + window
    if (hidden >= needed) return []
    const fitting = Math.floor((hidden - window) / TIMEOUTS_HIDDEN)
    return {
      at: queue.path,
      says:
        `messages are hidden for ${hidden} s, less than ${TIMEOUTS_HIDDEN} x the function's timeout of ${timeout} s plus ` +
        `the window of ${window} s = ${needed} s, so a batch that is still being loaded would be received again. ` +
        `Leave the visibility timeout to landing.ts${fitting > 0 ? `, or lower ingestTimeout to ${fitting} s` : ''}.`,
    }
  })
}

/** The last receive comes when an outage of an hour is over: it is what loads the message. */
export function deadWithinAnOutage(stack: Stack): Problem[] {
  return redrivesIn(stack).flatMap(({ queue, receives }) => {
    const { VisibilityTimeout: hidden } = queue.properties
    const lastReceive = (receives - 1) * hidden
    if (lastReceive >= OUTAGE_SECONDS) return []
    return {
      at: queue.path,
      says:
        `a message is received ${receives} times, ${hidden} s apart, for the last time after ${lastReceive} s, sooner than ` +
        `${OUTAGE_SECONDS} s, so an hour without the database would make a dead letter of everything. ` +
        `Raise receivesBeforeDeadLetter to ${Math.ceil(OUTAGE_SECONDS / hidden) + 1}.`,
    }
  })
}

/** SQS counts the time in the first queue too. */
export function deadLettersExpire(stack: Stack): Problem[] {
  return redrivesIn(stack).flatMap(({ queue, deadLetterQueue }) => {
    const alive = daysOf(queue.properties.MessageRetentionPeriod)
    const dead = daysOf(deadLetterQueue.properties.MessageRetentionPeriod)
    if (dead > alive) return []
    const remedy =
      alive < RETENTION_MAX_DAYS
        ? `Raise deadLetterRetention to ${RETENTION_MAX_DAYS} days, SQS's maximum`
        : `Lower queueRetention to 10 days, and leave deadLetterRetention at ${RETENTION_MAX_DAYS} days, SQS's maximum`
    return {
      at: queue.path,
      says:
        `messages are kept for ${alive} days, and in ${deadLetterQueue.path} for ${dead} days, which must be more: the time in ` +
        `the first queue counts, so a late dead letter would be gone before a drain. ${remedy}.`,
    }
  })
}

/** Of the queue that is told of new files alone: nobody is promised when a replay is done. */
export function loadedTooLate(stack: Stack): Problem[] {
  const told = notificationsIn(stack).flatMap(({ properties }) =>
    properties.NotificationConfiguration.QueueConfigurations.map(({ QueueArn }) => QueueArn),
  )
  return feedsIn(stack)
    .filter(({ queue }) => told.includes(queue.id))
    .flatMap(({ mapping, target }) => {
      const { MaximumBatchingWindowInSeconds: window } = mapping.properties
      const { Timeout: timeout } = target.properties
      if (window + timeout < PUT_TO_COMMIT_P99_MAX_SECONDS) return []
      const fitting = PUT_TO_COMMIT_P99_MAX_SECONDS - 1 - timeout
      return {
        at: mapping.path,
        says:
          `a file may wait ${window} s for its batch and ${timeout} s for the function, ${window + timeout} s in all, where 99 ` +
          `of 100 are promised to be loaded in less than ${PUT_TO_COMMIT_P99_MAX_SECONDS} s. ` +
          `Lower ${fitting > 0 ? `batchingWindow to ${fitting} s` : 'ingestTimeout to 60 s'}.`,
      }
    })
}
