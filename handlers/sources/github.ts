/** Webhook deliveries of GitHub, one a file. The event's name is in the key: `input/github/<event>/<delivery>.json`. */
import { z } from 'zod'
import { jsonNumber, type Source } from './source.ts'

const account = z.looseObject({ login: z.string(), id: jsonNumber })

const repository = z.looseObject({ id: jsonNumber, full_name: z.string(), owner: account })

export const github: Source = {
  name: 'github',
  prefix: 'input/github/',
  owner: 'developer-platform@example.com',
  // Nobody pushes on a Sunday in August.
  expectedEveryHours: 48,
  records: { kind: 'document' },
  contractVersion: 1,
  contract: z.looseObject({
    action: z.string().optional(),
    sender: account.optional(),
    repository: repository.optional(),
    organization: account.optional(),
    pull_request: z
      .looseObject({ id: jsonNumber, number: jsonNumber, state: z.string(), title: z.string(), user: account })
      .optional(),
  }),
}
