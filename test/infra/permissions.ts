/** What the roles of the stack may do, read from all of their policies. */
import { ofType, type Resource, readable, targetOf } from './synthesized.ts'

export interface Statement {
  /** Path of the role. */
  readonly role: string
  readonly actions: readonly string[]
  readonly resources: readonly string[]
}

const asArray = <T>(value: T | readonly T[]): readonly T[] => (Array.isArray(value) ? value : [value as T])

const policyStatements = (document: Resource['properties'], role: string): Statement[] =>
  document.Statement.filter(({ Effect }: { Effect: string }) => Effect === 'Allow').map(
    ({ Action, Resource }: { Action: string | string[]; Resource: Resource['properties'] }) => ({
      role,
      actions: asArray(Action),
      resources: asArray(Resource).map(readable),
    }),
  )

/** What each role is allowed: its own policies, and those attached to it. */
export const statements: readonly Statement[] = ofType('AWS::IAM::Role').flatMap(({ id, path, properties }) => {
  const attached = ofType('AWS::IAM::Policy').filter((policy) =>
    policy.properties.Roles.some((role: Resource['properties']) => targetOf(role) === id),
  )
  const documents = [...(properties.Policies ?? []), ...attached.map((policy) => policy.properties)]
  return documents.flatMap(({ PolicyDocument }) => policyStatements(PolicyDocument, path))
})

/** Names of AWS's own policies that a role has. */
export const managedPoliciesOf = (role: Resource): string[] =>
  (role.properties.ManagedPolicyArns ?? []).map((arn: Resource['properties']) => readable(arn).split(':policy/')[1])

/** Path of the role that a function or a state machine works under. */
export const roleOf = ({ properties }: Resource): string => readable(properties.Role ?? properties.RoleArn)

/** What a role may do, by resource. */
export function permissionsOf(role: string): Record<string, string[]> {
  const pairs = statements
    .filter((statement) => statement.role === role)
    .flatMap(({ actions, resources }) => resources.map((resource) => ({ resource, actions })))
  const grouped = Object.groupBy(pairs, ({ resource }) => resource)
  return Object.fromEntries(
    Object.entries(grouped).map(([resource, group = []]) => [resource, group.flatMap(({ actions }) => actions).sort()]),
  )
}

/** Whether one of the patterns, in which `*` stands for any text, covers the action. */
export const covers = (patterns: readonly string[], action: string): boolean =>
  patterns.some((pattern) => new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(action))
