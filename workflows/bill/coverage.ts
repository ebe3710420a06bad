/** Which types of resources a bill covers. One that is on neither list is reported, since it may cost something. */
import { z } from 'zod'
import { unpricedDatabases } from './database.ts'
import type { Estimate } from './estimate.ts'
import { unknownFunctions } from './functions.ts'
import { unpricedInstances } from './instances.ts'
import { unpricedOrchestration } from './orchestration.ts'
import { unpricedSubscriptions } from './secrets.ts'
import { resourcesOf } from './template.ts'

export const PRICED: ReadonlySet<string> = new Set([
  ...['AWS::S3::Bucket', 'AWS::SQS::Queue', 'AWS::Lambda::Function', 'AWS::Lambda::EventSourceMapping'],
  ...['AWS::StepFunctions::StateMachine', 'AWS::Scheduler::Schedule', 'AWS::CodeBuild::Project'],
  ...['AWS::RDS::DBCluster', 'AWS::RDS::DBInstance'],
  ...['AWS::EC2::NatGateway', 'AWS::EC2::EIP', 'AWS::EC2::VPCEndpoint', 'AWS::EC2::FlowLog'],
  'AWS::EC2::Instance',
  ...['AWS::Logs::LogGroup', 'AWS::CloudWatch::Alarm', 'AWS::CloudWatch::CompositeAlarm', 'AWS::CloudWatch::Dashboard'],
  ...['AWS::SecretsManager::Secret', 'AWS::SecretsManager::RotationSchedule', 'AWS::KMS::Key'],
  ...['AWS::SNS::Topic', 'AWS::SNS::Subscription'],
])

const IAM = 'AWS does not charge for identities and their rights.'
const WIRING =
  'A network is charged for its gateways, instances, endpoints, addresses and traffic, which have lines of their own.'
const POLICY = 'Says who may do what with a thing that has a line of its own.'
const SETTING = 'A setting of a thing that has a line of its own.'
const DEPLOYMENT = 'Calls a function when the stack is deployed; the function has a line.'

/** What costs nothing, and why. */
export const FREE: Readonly<Record<string, string>> = {
  'AWS::IAM::Role': IAM,
  'AWS::IAM::Policy': IAM,
  'AWS::IAM::ManagedPolicy': IAM,
  'AWS::IAM::InstanceProfile': IAM,
  'AWS::IAM::User': IAM,
  'AWS::EC2::VPC': WIRING,
  'AWS::EC2::Subnet': WIRING,
  'AWS::EC2::Route': WIRING,
  'AWS::EC2::RouteTable': WIRING,
  'AWS::EC2::SubnetRouteTableAssociation': WIRING,
  'AWS::EC2::InternetGateway': WIRING,
  'AWS::EC2::VPCGatewayAttachment': WIRING,
  'AWS::EC2::SecurityGroup': WIRING,
  'AWS::EC2::SecurityGroupEgress': WIRING,
  'AWS::EC2::SecurityGroupIngress': WIRING,
  'AWS::S3::BucketPolicy': POLICY,
  'AWS::SQS::QueuePolicy': POLICY,
  'AWS::SNS::TopicPolicy': POLICY,
  'AWS::Lambda::Permission': POLICY,
  'AWS::SecretsManager::ResourcePolicy': POLICY,
  'AWS::SecretsManager::SecretTargetAttachment': SETTING,
  'AWS::RDS::DBClusterParameterGroup': SETTING,
  'AWS::RDS::DBSubnetGroup': SETTING,
  'AWS::Lambda::Version': 'A version is charged when it is called, as its function.',
  'AWS::Lambda::EventInvokeConfig': SETTING,
  'AWS::KMS::Alias': 'A name.',
  'AWS::Events::Rule': "Events of AWS's own services are free; a rule that other events match would be reported.",
  'Custom::LogRetention': DEPLOYMENT,
  'Custom::S3BucketNotifications': DEPLOYMENT,
  'Custom::Trigger': DEPLOYMENT,
  'Custom::VpcRestrictDefaultSG': DEPLOYMENT,
  'AWS::CDK::Metadata': 'A note for CDK.',
}

const rule = z.looseObject({
  EventPattern: z.looseObject({ source: z.array(z.string()).default([]) }).optional(),
  EventBusName: z.unknown().optional(),
})

/** Everything in the template that may cost something and has no line. */
export function findUnpriced(estimate: Estimate): string[] {
  const { template } = estimate
  const unknown = Object.entries(template.Resources)
    .filter(([, { Type }]) => !PRICED.has(Type) && FREE[Type] === undefined)
    .map(([id, { Type }]) => `${Type} ${id}: no price is known for this type`)
  const foreign = resourcesOf(template, 'AWS::Events::Rule', rule)
    .filter(
      ({ EventPattern, EventBusName }) =>
        EventBusName !== undefined || EventPattern?.source.some((name) => !name.startsWith('aws.')),
    )
    .map(({ id }) => `AWS::Events::Rule ${id}: events that are not AWS's own are paid for`)
  return [
    ...unknown,
    ...foreign,
    ...unpricedDatabases(estimate),
    ...unpricedInstances(estimate),
    ...unpricedOrchestration(estimate),
    ...unknownFunctions(estimate),
    ...unpricedSubscriptions(estimate),
  ]
}
