/** What a definition's JSONata expressions refer to, read from their syntax trees. */
import jsonata from 'jsonata'

export interface Expression {
  /** Between `{%` and `%}`. */
  readonly source: string
  /** Fields from the state down to the expression. */
  readonly path: readonly string[]
}

/** What an expression takes from outside itself. */
export interface References {
  /** Variables and functions that it does not define, without the dollar sign. */
  readonly variables: Set<string>
  /** Fields of `$states` that it reads; `*` when it takes `$states` whole or by a computed name. */
  readonly statesFields: Set<string>
  /** Names looked up where there is nothing to look them up in: `input` instead of `$states.input`. */
  readonly bareNames: Set<string>
}

/** Fields that hold states of their own, with their own expressions. */
const INNER_GRAPHS = new Set(['Branches', 'ItemProcessor'])

/** The text of a string that is one expression, otherwise undefined. */
export const expressionText = (value: string): string | undefined => /^\{%(.+)%\}$/s.exec(value)?.[1]?.trim()

/** Every expression of one state, those of states within it excepted. */
export function expressionsOf(value: unknown, path: readonly string[] = []): Expression[] {
  if (typeof value === 'string') {
    const text = expressionText(value)
    return text === undefined ? [] : [{ source: text, path }]
  }
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, child]) =>
    INNER_GRAPHS.has(key) ? [] : expressionsOf(child, [...path, key]),
  )
}

/** Whether JSONata itself, without Step Functions, defines the function. */
export const isBuiltIn = async (name: string): Promise<boolean> =>
  (await jsonata(`$exists($${name})`).evaluate(undefined)) === true

/** A node of the syntax tree. jsonata's own type leaves out half of its fields. */
interface Node {
  readonly type?: unknown
  readonly value?: unknown
  readonly [field: string]: unknown
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null

/** @throws what jsonata throws when the expression is no JSONata */
export function referencesOf(source: string): References {
  const references: References = { variables: new Set(), statesFields: new Set(), bareNames: new Set() }
  visit(jsonata(source).ast(), new Set(), false, references)
  return references
}

/**
 * @param bound variables that the expression itself has defined by here; a block adds to its own copy
 * @param hasContext whether names have something to be looked up in, as they do behind a dot or in a filter
 */
function visit(node: unknown, bound: Set<string>, hasContext: boolean, references: References): void {
  if (Array.isArray(node)) {
    for (const child of node) visit(child, bound, hasContext, references)
    return
  }
  if (!isNode(node)) return
  switch (node.type) {
    case 'path':
      visitPath(node, bound, hasContext, references)
      break
    case 'block':
      visit(node.expressions, new Set(bound), hasContext, references)
      break
    case 'bind': {
      const names = namesOf(node.lhs)
      // A function may call itself; any other value is not there until it has been computed.
      const callsItself = isNode(node.rhs) && node.rhs.type === 'lambda'
      visit(node.rhs, callsItself ? new Set([...bound, ...names]) : bound, hasContext, references)
      for (const name of names) bound.add(name)
      break
    }
    case 'lambda':
      visit(node.body, new Set([...bound, ...namesOf(node.arguments)]), hasContext, references)
      break
    case 'variable':
      noteVariable(String(node.value), bound, hasContext, references)
      // Its filter, as in `$x[...]`.
      visit(node.predicate, bound, true, references)
      break
    case 'name':
    case 'wildcard':
    case 'descendant':
      if (!hasContext) references.bareNames.add(String(node.value))
      visitFields(node, bound, true, references)
      break
    case 'filter':
    case 'transform':
      visitFields(node, bound, true, references)
      break
    default:
      visitFields(node, bound, hasContext, references)
  }
}

function visitFields(node: Node, bound: Set<string>, hasContext: boolean, references: References): void {
  for (const field of Object.values(node)) visit(field, bound, hasContext, references)
}

function visitPath(node: Node, bound: Set<string>, hasContext: boolean, references: References): void {
  const steps = Array.isArray(node.steps) ? node.steps.filter(isNode) : []
  const [first, second] = steps
  const readsStates = first?.type === 'variable' && first.value === 'states' && second?.type === 'name'
  if (readsStates) references.statesFields.add(String(second.value))
  // `a@$x` and `a#$i` define variables for the steps that follow.
  const within = new Set(bound)
  for (const [index, step] of steps.entries()) {
    if (!(readsStates && index === 0)) visit(step, within, hasContext || index > 0, references)
    for (const name of [step.focus, step.index]) if (typeof name === 'string') within.add(name)
  }
  visit(node.group, within, true, references)
}

function noteVariable(name: string, bound: Set<string>, hasContext: boolean, references: References): void {
  if (bound.has(name)) return
  // `$$` is the input of the whole expression, of which Step Functions gives none; `$` is it, too, unless in a context.
  if (name === '$' || name === '') {
    if (name === '$' || !hasContext) references.bareNames.add(`$${name}`)
    return
  }
  if (name === 'states') references.statesFields.add('*')
  else references.variables.add(name)
}

/** The names of variable nodes. */
function namesOf(nodes: unknown): string[] {
  return [nodes].flat().flatMap((node) => (isNode(node) && typeof node.value === 'string' ? [node.value] : []))
}
