/** Templates with a change, to see what it would cost. */
import type { Resource, Template } from './template.ts'

/** What a network of its own goes out by. */
const WAYS_OUT = ['AWS::EC2::NatGateway', 'AWS::EC2::EIP', 'AWS::EC2::Instance']

/** What functions and builds call. */
const ENDPOINTS = ['secretsmanager', 'states', 'sqs', 'codebuild', 'sns', 'logs']

type Properties = NonNullable<Resource['Properties']>

export function changed(template: Template, type: string, change: (properties: Properties) => Properties): Template {
  const resources = Object.entries(template.Resources).map(([id, resource]) => {
    return [
      id,
      resource.Type === type ? { ...resource, Properties: change(resource.Properties ?? {}) } : resource,
    ] as const
  })
  return { ...template, Resources: Object.fromEntries(resources) }
}

export function without(template: Template, type: string, isGone: (id: string, place: number) => boolean): Template {
  const ids = Object.keys(template.Resources).filter((id) => template.Resources[id]?.Type === type)
  const gone = new Set(ids.filter(isGone))
  return {
    ...template,
    Resources: Object.fromEntries(Object.entries(template.Resources).filter(([id]) => !gone.has(id))),
  }
}

export function slowTransform(template: Template, hours: number): Template {
  const slower = changed(template, 'AWS::Lambda::Function', (properties) => {
    const environment = (properties.Environment ?? {}) as { Variables?: Record<string, unknown> }
    if (environment.Variables?.TRANSFORM_INTERVAL_MINUTES === undefined) return properties
    const Variables = { ...environment.Variables, TRANSFORM_INTERVAL_MINUTES: String(hours * 60) }
    return { ...properties, Environment: { ...environment, Variables } }
  })
  return changed(slower, 'AWS::Scheduler::Schedule', (properties) =>
    JSON.stringify(properties.Target).includes('transform')
      ? { ...properties, ScheduleExpression: `rate(${hours} hours)` }
      : properties,
  )
}

export function withLifecycle(template: Template, days: number, hiddenDays: number): Template {
  return changed(template, 'AWS::S3::Bucket', (properties) => {
    if (properties.VersioningConfiguration === undefined) return properties
    const rule = {
      Prefix: 'input/',
      Status: 'Enabled',
      ExpirationInDays: days,
      NoncurrentVersionExpiration: { NoncurrentDays: hiddenDays },
    }
    return { ...properties, LifecycleConfiguration: { Rules: [rule] } }
  })
}

export const withoutWayOut = (template: Template): Template =>
  WAYS_OUT.reduce((rest, type) => without(rest, type, () => true), template)

/** As `wayOut: 'nat-instance'` of a stage makes it. */
export function withNatInstance(template: Template): Template {
  const Properties = {
    InstanceType: 't4g.nano',
    CreditSpecification: { CPUCredits: 'standard' },
    BlockDeviceMappings: [{ Ebs: { VolumeSize: 8, VolumeType: 'gp3' } }],
    NetworkInterfaces: [{ AssociatePublicIpAddress: true }],
  }
  const { Resources, ...rest } = withoutWayOut(template)
  return { ...rest, Resources: { ...Resources, NatInstance: { Type: 'AWS::EC2::Instance', Properties } } }
}

export function withEndpoints(template: Template): Template {
  const closed = withoutWayOut(template)
  const made = ENDPOINTS.map((name) => [
    `Endpoint-${name}`,
    {
      Type: 'AWS::EC2::VPCEndpoint',
      Properties: { VpcEndpointType: 'Interface', SubnetIds: ['one'], ServiceName: name },
    },
  ])
  return { ...closed, Resources: { ...closed.Resources, ...Object.fromEntries(made) } }
}
