/** The process that `function-process.ts` starts: answers each event with what the handler returns. */
import { handler } from '../../handlers/ingest/handler.ts'
import { lambdaContext } from './s3-events.ts'

process.on('message', async ({ event, timeoutMilliseconds }: { event: never; timeoutMilliseconds: number }) => {
  const startedAt = performance.now()
  const context = {
    ...lambdaContext(),
    getRemainingTimeInMillis: () => timeoutMilliseconds - (performance.now() - startedAt),
  }
  const response = await handler(event, context)
  process.send?.({ response, peakMegabytes: process.resourceUsage().maxRSS / 1024 })
})
