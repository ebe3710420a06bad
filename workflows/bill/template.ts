/** A synthesized CloudFormation template, as far as a bill reads it. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'

const template = z.looseObject({
  Resources: z.record(
    z.string(),
    z.looseObject({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).optional() }),
  ),
})

export type Template = z.infer<typeof template>

export type Resource = Template['Resources'][string]

/** A resource with its properties, as far as the schema that read it says what they are. */
export type Found<Properties> = Properties & { readonly id: string }

/**
 * All resources of a type.
 *
 * @throws when one of them is not as the schema says: what cannot be read must not be left out of a bill
 */
export function resourcesOf<Schema extends z.ZodType<object>>(
  { Resources }: Template,
  type: string,
  schema: Schema,
): Found<z.infer<Schema>>[] {
  return Object.entries(Resources)
    .filter(([, resource]) => resource.Type === type)
    .map(([id, { Properties = {} }]) => {
      const read = schema.safeParse(Properties)
      if (read.success) return { ...read.data, id }
      const [issue] = read.error.issues
      throw new Error(`${type} ${id}, ${issue?.path.join('.')}: ${issue?.message}`)
    })
}

export const countOf = ({ Resources }: Template, type: string): number =>
  Object.values(Resources).filter((resource) => resource.Type === type).length

const definitionInFile = z.looseObject({ DefinitionS3Location: z.looseObject({ Key: z.string() }) })

/**
 * Reads a template as CDK leaves it, and puts in the definition of a state machine, which CDK leaves in a file beside it.
 *
 * @throws when it is no template, or the definition is not there
 */
export function readTemplate(file: string): Template {
  const { Resources, ...rest } = template.parse(JSON.parse(readFileSync(file, 'utf8')))
  const whole = Object.entries(Resources).map(([id, resource]) => {
    const inFile = definitionInFile.safeParse(resource.Properties)
    if (!inFile.success) return [id, resource] as const
    const path = join(dirname(file), `asset.${inFile.data.DefinitionS3Location.Key}`)
    return [id, { ...resource, Properties: { ...resource.Properties, DefinitionString: readFileSync(path, 'utf8') } }]
  })
  return { ...rest, Resources: Object.fromEntries(whole) }
}
