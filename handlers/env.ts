/** The environment of the functions, checked once at the first call. Set in `infra/`. */
import { z } from 'zod'
import { InvalidInput } from './errors.ts'

const arn = z.string().startsWith('arn:')

/** Variables by their name; each function asks for those it needs. */
const variables = z.object({
  DATABASE_SECRET_ARN: arn,
  /** As libpq's PGSSLMODE. */
  DATABASE_SSL: z.enum(['disable', 'verify-full']),
  LANDING_BUCKET_ARN: arn,
  STATE_MACHINE_ARN: arn,
  DEAD_LETTER_QUEUE_URL: z.url(),
  REPLAY_QUEUE_URL: z.url(),
  PROJECT_NAME: z.string().min(1),
  TRANSFORM_PROJECT_NAME: z.string().min(1),
  TRANSFORM_INTERVAL_MINUTES: z.coerce.number().int().positive(),
  /** The database refuses to drop what is younger than a week. */
  RAW_RETENTION_DAYS: z.coerce.number().int().min(7),
})

type Variables = z.infer<typeof variables>

/**
 * Reads the named variables.
 *
 * @throws {InvalidInput} naming every variable that is missing or malformed
 */
export function readEnvironment<Name extends keyof Variables>(...names: Name[]): Pick<Variables, Name> {
  const mask = Object.fromEntries(names.map((name) => [name, true])) as Record<Name, true>
  const result = variables.pick(mask as Record<keyof Variables, true>).safeParse(process.env)
  if (result.success) return result.data as Pick<Variables, Name>
  const wrong = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  throw new InvalidInput(`environment of the function: ${wrong.join('; ')}. It is set by the stack in infra/.`)
}
