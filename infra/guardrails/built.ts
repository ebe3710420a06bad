/** The stack as it is about to be deployed: what the constructs became, whoever edited them and by what means. */
import { CfnResource, type Stack } from 'aws-cdk-lib'
import { z } from 'zod'

/** A number that breaks a rule. */
export interface Problem {
  /** The construct or the source, e.g. `Landing/Queue`. */
  readonly at: string
  /** What is wrong, the value, the limit, and the setting of `infra/app.ts` that mends it. */
  readonly says: string
}

export interface Built<Properties> {
  /** Its logical id, by which others refer to it. */
  readonly id: string
  /** In the construct tree, e.g. `Landing/Queue`. */
  readonly path: string
  readonly properties: Properties
}

/** The logical id that a `Ref` or `Fn::GetAtt` names. Undefined for what is spelled out: it is not of this stack. */
export const reference = z.union([
  z.object({ Ref: z.string() }).transform(({ Ref }) => Ref),
  z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) }).transform((found) => found['Fn::GetAtt'][0]),
  z.unknown().transform(() => undefined),
])

const fragment = z.object({
  Resources: z.record(z.string(), z.object({ Properties: z.record(z.string(), z.unknown()).default({}) })),
})

/**
 * All resources of a type. Shapes name what a rule reads, with AWS's defaults for what a template may leave out.
 *
 * @throws when a property is nothing that a rule could compare, e.g. a parameter of the template in place of a number
 */
export function builtIn<Shape extends z.ZodType>(stack: Stack, type: string, shape: Shape): Built<z.output<Shape>>[] {
  return stack.node
    .findAll()
    .filter((construct) => CfnResource.isCfnResource(construct))
    .filter((resource) => resource.cfnResourceType === type)
    .flatMap((resource) => {
      const path = resource.node.path.replace(`${stack.node.path}/`, '').replace(/\/Resource$/, '')
      // The typed properties would miss what an escape hatch has overridden.
      const { Resources } = fragment.parse(stack.resolve(resource._toCloudFormation()))
      return Object.entries(Resources).map(([id, { Properties }]) => {
        const { data, error } = shape.safeParse(Properties)
        if (error) throw new Error(`${path}: the guardrails cannot read it. ${z.prettifyError(error)}`)
        return { id, path, properties: data }
      })
    })
}
