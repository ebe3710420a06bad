/** What the roles of a deployed cloud may do and did: its template, and what its emulator wrote down. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Call, distinct, type Grant, grantsOf } from '../infra/policies.ts'

// biome-ignore lint/suspicious/noExplicitAny: a template is any JSON
type Json = any

interface Made {
  readonly id: string
  readonly arn: string
}

const STACK = 'Sluice-local'

export function readDeployment(directory: string) {
  const lines: Json[] = readFileSync(join(directory, 'calls.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
  const made = new Map<string, Made>(lines.flatMap((line) => (line.made ? [[line.made, line]] : [])))
  const template: Json = JSON.parse(readFileSync(join(directory, 'cdk.out', `${STACK}.template.json`), 'utf8'))
  const names = new Names(template, made)
  return {
    grants: distinct(grantsIn(names)),
    calls: [...callsIn(lines, names), ...callsOfServices(template, names)],
  }
}

/** What the template calls a thing, what people call it and what the cloud calls it. */
class Names {
  readonly #template: Json
  readonly #made: ReadonlyMap<string, Made>

  constructor(template: Json, made: ReadonlyMap<string, Made>) {
    this.#template = template
    this.#made = made
  }

  ofType(type: string): [id: string, properties: Json][] {
    return Object.entries<Json>(this.#template.Resources).flatMap(([id, { Type, Properties }]) =>
      Type === type ? [[id, Properties]] : [],
    )
  }

  path(id: string): string {
    const path: string = this.#template.Resources[id]?.Metadata?.['aws:cdk:path'] ?? id
    return path.replace(`${STACK}/`, '').replace(/\/Resource$/, '')
  }

  /** The path of a role, by what the template has for its name or ARN. */
  role(value: Json): string {
    return this.path(value.Ref ?? value['Fn::GetAtt'][0])
  }

  /** @throws for a role that is not of this stack */
  roleCalled(name: string): string {
    const [id] = this.ofType('AWS::IAM::Role').find(([role]) => this.#made.get(role)?.id === name) ?? []
    if (id === undefined) throw new Error(`The stack has no role ${name}`)
    return this.path(id)
  }

  readable(value: Json): string {
    return this.#text(value, (id) => this.path(id))
  }

  real(value: Json): string {
    return this.#text(value, (id, attribute) => {
      const made = this.#made.get(id)
      if (made === undefined) throw new Error(`The deployment made no ${id}`)
      return attribute === 'Arn' ? made.arn : made.id
    })
  }

  #text(value: Json, nameOf: (id: string, attribute?: string) => string): string {
    if (typeof value === 'string') return value
    if (value.Ref) return value.Ref === 'AWS::Partition' ? 'aws' : nameOf(value.Ref)
    if (value['Fn::GetAtt']) return nameOf(value['Fn::GetAtt'][0], value['Fn::GetAtt'][1])
    if (value['Fn::Join'])
      return value['Fn::Join'][1].map((part: Json) => this.#text(part, nameOf)).join(value['Fn::Join'][0])
    throw new Error(`Cannot be read: ${JSON.stringify(value)}`)
  }
}

/** Of the policies that the template writes. AWS's own for logs, which every function has, is test/infra/permissions.test.ts's. */
function grantsIn(names: Names): Grant[] {
  const attached = (id: string) =>
    names.ofType('AWS::IAM::Policy').filter(([, { Roles }]) => Roles.some((role: Json) => role.Ref === id))
  return names.ofType('AWS::IAM::Role').flatMap(([id, { Policies = [] }]) =>
    [...Policies, ...attached(id).map(([, policy]) => policy)].flatMap(({ PolicyDocument }) =>
      PolicyDocument.Statement.flatMap((statement: Json) => {
        const resources = [statement.Resource].flat()
        const Resource = resources.map((value) => ({ arn: names.real(value), readable: names.readable(value) }))
        return grantsOf(names.path(id), { ...statement, Resource })
      }),
    ),
  )
}

const callsIn = (lines: readonly Json[], names: Names): Call[] =>
  lines.flatMap(({ role, action, resource }) =>
    role === undefined ? [] : [{ role: names.roleCalled(role), action, resource }],
  )

/**
 * What services do under a role by themselves. In the emulator that is no request and no Task, so it is read from what the
 * template has them do, by AWS's documentation of each.
 */
function callsOfServices(template: Json, names: Names): Call[] {
  const calls = (role: string, resource: string, ...actions: string[]): Call[] =>
    actions.map((action) => ({ role, action, resource }))
  const starts = (target: Json) =>
    target.RoleArn ? calls(names.role(target.RoleArn), names.real(target.Arn), 'states:StartExecution') : []

  const mappings = names.ofType('AWS::Lambda::EventSourceMapping').flatMap(([, { FunctionName, EventSourceArn }]) => {
    const role = names.role(template.Resources[FunctionName.Ref].Properties.Role)
    const actions = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes']
    return calls(role, names.real(EventSourceArn), ...actions)
  })
  const builds = names.ofType('AWS::CodeBuild::Project').flatMap(([, project]) => {
    const { ServiceRole, Source, Environment, LogsConfig, Artifacts, Cache } = project
    const role = names.role(ServiceRole)
    const bucket = (given: Json, key: string) => `arn:aws:s3:::${names.real(given)}${key}`
    const group = names.real(LogsConfig.CloudWatchLogs.GroupName)
    const stream = `arn:aws:logs:us-east-1:000000000000:log-group:${group}:log-stream:a-build`
    const secrets: Json[] = (Environment.EnvironmentVariables ?? []).filter(
      ({ Type }: Json) => Type === 'SECRETS_MANAGER',
    )
    return [
      ...calls(role, bucket(Source.Location, ''), 's3:GetObject', 's3:GetObjectVersion'),
      ...calls(role, stream, 'logs:CreateLogStream', 'logs:PutLogEvents'),
      // The reference goes on with the key of the JSON: secret:key:stage:version.
      ...secrets.flatMap(({ Value }) =>
        calls(role, names.real(Value).split(':').slice(0, 7).join(':'), 'secretsmanager:GetSecretValue'),
      ),
      ...(Artifacts.Type === 'S3' ? calls(role, bucket(Artifacts.Location, '/an/artifact'), 's3:PutObject') : []),
      ...(Cache?.Type === 'S3' ? calls(role, bucket(Cache.Location, '/archive'), 's3:GetObject', 's3:PutObject') : []),
    ]
  })
  return [
    ...mappings,
    ...builds,
    ...names.ofType('AWS::Events::Rule').flatMap(([, { Targets = [] }]) => Targets.flatMap(starts)),
    ...names.ofType('AWS::Scheduler::Schedule').flatMap(([, { Target }]) => starts(Target)),
  ]
}
