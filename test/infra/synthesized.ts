/** The stack as it is deployed, synthesized once for each test file and stage, and ways to read its template. */
import { readFileSync, rmSync } from 'node:fs'
import { App, CfnElement, Duration } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { afterAll } from 'vitest'
import { stagesOf } from '../../infra/app.ts'
import { PipelineStack, type PipelineStackProps } from '../../infra/pipeline-stack.ts'

// The CLI's feature flags, or another template would be tested than is deployed.
const { context } = JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8'))

type Json = ReturnType<Template['toJSON']>

export interface Resource {
  readonly id: string
  readonly type: string
  /** In the construct tree, e.g. `Landing/Queue`. */
  readonly path: string
  readonly properties: Json
  /** The whole of it: type, properties, policies, dependencies. */
  readonly definition: Json
}

/** The stages as they are in `infra/app.ts`. */
export const stages: Readonly<Record<string, PipelineStackProps>> = stagesOf(new App())

export function stageOf(name: string): PipelineStackProps {
  const stage = stages[name]
  if (stage === undefined) throw new Error(`infra/app.ts has no stage ${name}`)
  return stage
}

/** A stack and its template. Nothing is looked up and nothing leaves this machine. */
export function synthesize(props: PipelineStackProps) {
  // An empty list bundles no function: two seconds less, and no rule here looks at their code.
  const app = new App({ context: { ...context, 'aws:cdk:bundling-stacks': [] } })
  // CDK clears it only at an exit that a test worker does not come to.
  afterAll(() => rmSync(app.outdir, { recursive: true }))
  const stack = new PipelineStack(app, `Sluice-${props.stage}`, props)
  const template: Json = Template.fromStack(stack).toJSON()

  const pathsById = new Map(
    stack.node
      .findAll()
      .filter(CfnElement.isCfnElement)
      .map((element): [string, string] => {
        const path = element.node.path.replace(`${stack.node.path}/`, '').replace(/\/Resource$/, '')
        return [String(stack.resolve(element.logicalId)), path]
      }),
  )
  const resources: readonly Resource[] = Object.entries<Json>(template.Resources).map(([id, definition]) => ({
    id,
    type: definition.Type,
    path: pathsById.get(id) ?? id,
    properties: definition.Properties ?? {},
    definition,
  }))
  const { missing } = app.synth().manifest
  return { stack, template, missing, outputFolder: app.outdir, pathsById, resources, ...waysToRead(resources) }
}

function waysToRead(resources: readonly Resource[]) {
  const ofType = (type: string): Resource[] => resources.filter((resource) => resource.type === type)

  /** @throws unless there is exactly one */
  function onlyOne(type: string): Resource {
    const [found, ...others] = ofType(type)
    if (found === undefined || others.length > 0)
      throw new Error(`${others.length + (found ? 1 : 0)} of ${type}, not one`)
    return found
  }

  /** @throws when there is none */
  function at(path: string, type?: string): Resource {
    const found = resources.find((resource) => resource.path === path && (type ?? resource.type) === resource.type)
    if (found === undefined) throw new Error(`No ${type ?? 'resource'} at ${path}`)
    return found
  }

  /** The ids of what must be there before the resource is made or changed, near and far. */
  function prerequisitesOf({ id }: Resource): Set<string> {
    const reached = new Set<string>()
    const pending = directPrerequisites(id)
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (reached.has(next)) continue
      reached.add(next)
      pending.push(...directPrerequisites(next))
    }
    return reached
  }

  function directPrerequisites(id: string): string[] {
    const definition = resources.find((resource) => resource.id === id)?.definition
    const text = JSON.stringify(definition ?? {})
    const referenced = [...text.matchAll(/"(?:Ref":|Fn::GetAtt":\[)"([^"]+)"|\$\{(\w+)(?:\.\w+)?\}/g)]
    return [...referenced.map(([, name, substituted]) => name ?? substituted ?? ''), ...(definition?.DependsOn ?? [])]
  }

  return { ofType, onlyOne, at, prerequisitesOf }
}

/** With the window of AWS: stage `local` has a shorter one, since somebody watches. */
const local = synthesize({ ...stageOf('local'), batchingWindow: Duration.seconds(55) })

export const { stack, outputFolder, resources, ofType, onlyOne, at, prerequisitesOf } = local
const { pathsById, template } = local

export const parameters: readonly { readonly id: string; readonly definition: Json }[] = Object.entries<Json>(
  template.Parameters,
).map(([id, definition]) => ({ id, definition }))

/** The logical id that a `Ref` or `Fn::GetAtt` names, otherwise undefined. */
export function targetOf(value: Json): string | undefined {
  if (typeof value?.Ref === 'string') return value.Ref
  return value?.['Fn::GetAtt']?.[0]
}

/** Where a reference would be a circle, the ARN is spelled out. It names what the template gives that name. */
const pathsByArn = new Map(
  ofType('AWS::StepFunctions::StateMachine').map(({ path, properties }) => [
    `arn:aws:states:${stack.region}:${stack.account}:stateMachine:${properties.StateMachineName}`,
    path,
  ]),
)

/** A value with its references spelled as paths, e.g. `Landing/Bucket/input/*` for the ARN of these objects. */
export function readable(value: Json | string): string {
  if (typeof value === 'string') return pathsByArn.get(value) ?? value
  const target = targetOf(value)
  if (target !== undefined) return pathsById.get(target) ?? target
  if (value['Fn::Join']) return value['Fn::Join'][1].map(readable).join(value['Fn::Join'][0])
  if (value['Fn::Sub']) return value['Fn::Sub'].replaceAll(/\$\{([^}]+)\}/g, '$1')
  throw new Error(`Cannot be read: ${JSON.stringify(value)}`)
}
