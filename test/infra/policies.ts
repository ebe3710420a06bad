/** What IAM would say: a small evaluator of the policies of roles, and which of their grants a list of calls needs. */

export interface Call {
  /** Path of the role in the construct tree. */
  readonly role: string
  /** As policies name it, e.g. `s3:GetObjectVersion`. */
  readonly action: string
  /** ARN. */
  readonly resource: string
}

/** One action on one resource, of a statement that may have many of both. Both may hold `*` and `?`. */
export interface Grant extends Call {
  readonly effect: 'Allow' | 'Deny'
  /** The resource with the names of the construct tree in it, for people. */
  readonly readable: string
}

/** A statement of a template in which every resource is text. */
export interface TextStatement {
  readonly [field: string]: unknown
  readonly Effect: string
  readonly Action: string | readonly string[]
  readonly Resource: readonly { readonly arn: string; readonly readable: string }[]
}

const KNOWN = ['Effect', 'Action', 'Resource', 'Sid']

/** Of an allowance for listings. Calls are recorded without their prefix, but the emulator has held each to it. */
const isHeldToPrefix = ({ Effect, Condition }: TextStatement): boolean =>
  Effect === 'Allow' && /^\{"StringLike":\{"s3:prefix":\[[^{}]*\]\}\}$/.test(JSON.stringify(Condition))

/** @throws at what it cannot judge: to pass over a condition or a NotAction would be to say yes to it */
export function grantsOf(role: string, statement: TextStatement): Grant[] {
  const known = isHeldToPrefix(statement) ? [...KNOWN, 'Condition'] : KNOWN
  const unknown = Object.keys(statement).filter((field) => !known.includes(field))
  if (unknown.length > 0) throw new Error(`${role}: the evaluator does not know ${unknown.join(', ')}. Teach it.`)
  if (statement.Effect !== 'Allow' && statement.Effect !== 'Deny')
    throw new Error(`${role}: Effect ${statement.Effect}`)
  const effect = statement.Effect
  return [statement.Action]
    .flat()
    .flatMap((action) =>
      statement.Resource.map(({ arn, readable }) => ({ role, effect, action, resource: arn, readable })),
    )
}

const patterns = new Map<string, RegExp>()

/** `*` is any text and `?` any character. IAM ignores the case of actions, and not that of resources. */
function matches(pattern: string, text: string, flags: '' | 'i'): boolean {
  const known = patterns.get(flags + pattern)
  const escaped = () =>
    pattern
      .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')
  const expression = known ?? new RegExp(`^${escaped()}$`, flags)
  patterns.set(flags + pattern, expression)
  return expression.test(text)
}

export const covers = (grant: Grant, { role, action, resource }: Call): boolean =>
  grant.role === role && matches(grant.action, action, 'i') && matches(grant.resource, resource, '')

/** No deny, and an allow. */
export function isAllowed(grants: readonly Grant[], call: Call): boolean {
  const about = grants.filter((grant) => covers(grant, call))
  return about.length > 0 && about.every(({ effect }) => effect === 'Allow')
}

export const denied = (grants: readonly Grant[], calls: readonly Call[]): Call[] =>
  calls.filter((call) => !isAllowed(grants, call))

/** Grants without any one of which all of these calls would still be allowed. */
export const unused = (grants: readonly Grant[], calls: readonly Call[]): Grant[] =>
  grants.filter((grant) => {
    if (grant.effect === 'Deny') return false
    const others = grants.filter((other) => other !== grant)
    return (
      denied(
        others,
        calls.filter((call) => covers(grant, call)),
      ).length === 0
    )
  })

/** Each once: CDK grants some things in two statements, and then neither of them would be needed. */
export const distinct = (grants: readonly Grant[]): Grant[] => [
  ...new Map(
    grants.map((grant) => [[grant.role, grant.effect, grant.action, grant.resource].join(' '), grant]),
  ).values(),
]
