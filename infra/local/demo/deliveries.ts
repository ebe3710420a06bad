/** Real input: the webhook payloads of GitHub that its community collects in `@octokit/webhooks-examples`. */
import examplesOfEvents from '@octokit/webhooks-examples' with { type: 'json' }
import type { NewObject } from './put-objects.ts'

// The package is one JSON array; its types speak of a module whose default export is that array.
const events = examplesOfEvents as unknown as readonly { name: string; examples: readonly object[] }[]

/** All payloads of the package, one an object: `input/github/<event>/<n>.json`. */
export function githubDeliveries(): NewObject[] {
  return events.flatMap(({ name, examples }) =>
    examples.map((payload, position) => ({
      key: `input/github/${name}/${position + 1}.json`,
      body: Buffer.from(JSON.stringify(payload)),
    })),
  )
}
