/**
 * Draws the state machine into README.md, between two markers: `npm run docs`.
 * With --check it only says whether the drawing is up to date: exit code 1 when it is not.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** The fields of the Amazon States Language that a drawing needs. */
export interface Machine {
  readonly StartAt: string
  readonly States: Readonly<Record<string, State>>
}

interface State {
  readonly Type: string
  readonly Next?: string
  readonly End?: boolean
  readonly Choices?: readonly { readonly Comment?: string; readonly Condition?: string; readonly Next: string }[]
  readonly Default?: string
  readonly Retry?: readonly { readonly ErrorEquals: readonly string[]; readonly MaxAttempts?: number }[]
  readonly Catch?: readonly { readonly ErrorEquals: readonly string[]; readonly Next: string }[]
  /** Of a Map. */
  readonly ItemProcessor?: Machine
  /** Of a Parallel. */
  readonly Branches?: readonly Machine[]
}

const BEGIN = '<!-- The state machine, drawn from workflows/pipeline.asl.json by `npm run docs`. Do not edit. -->'
const END = '<!-- End of the state machine. -->'

const RETRIES_UNLESS_SAID = 3 // by the Amazon States Language

/** A Mermaid flowchart: solid lines are ways, dotted ones what happens after an error. */
export function drawGraph(machine: Machine): string {
  return ['flowchart TD', ...drawMachine(machine, '').map((line) => `  ${line}`)].join('\n')
}

/** Ids are made of the names of the states around a state, for names need to be unique in their own machine only. */
function drawMachine(machine: Machine, scope: string): string[] {
  const idOf = (name: string) => id(`${scope}${name}`)
  const states = Object.entries(machine.States)
  const start = id(`${scope}start`)
  const end = id(`${scope}end`)
  return [
    `${start}(( ))`,
    ...states.flatMap(([name, state]) => drawState(name, state, idOf(name), scope)),
    ...(states.some(([, state]) => state.End) ? [`${end}(( ))`] : []),
    `${start} --> ${idOf(machine.StartAt)}`,
    ...states.flatMap(([name, state]) => drawWays(state, idOf(name), idOf, end)),
  ]
}

function drawState(name: string, state: State, self: string, scope: string): string[] {
  const inner = state.ItemProcessor ? [state.ItemProcessor] : (state.Branches ?? [])
  if (inner.length > 0) {
    const drawn = inner.flatMap((machine, i) => drawMachine(machine, `${scope}${name} ${inner.length > 1 ? i : ''} `))
    const title = state.Type === 'Map' ? `${name}, for each` : name
    return [`subgraph ${self}[${label(title)}]`, ...drawn.map((line) => `  ${line}`), 'end']
  }
  switch (state.Type) {
    case 'Choice':
      return [`${self}{${label(name)}}`]
    case 'Succeed':
      return [`${self}([${label(name)}])`]
    case 'Fail':
      return [`${self}>${label(`${name}: fails`)}]`]
    default:
      return [`${self}[${label(name)}]`]
  }
}

function drawWays(state: State, self: string, idOf: (name: string) => string, end: string): string[] {
  return [
    ...(state.Choices ?? []).map(
      ({ Comment, Condition = '', Next }) => `${self} -->|${label(Comment ?? Condition)}| ${idOf(Next)}`,
    ),
    ...(state.Default === undefined ? [] : [`${self} -->|${label('otherwise')}| ${idOf(state.Default)}`]),
    ...(state.Next === undefined ? [] : [`${self} --> ${idOf(state.Next)}`]),
    ...(state.End ? [`${self} --> ${end}`] : []),
    ...(state.Retry ?? [])
      .filter(({ MaxAttempts = RETRIES_UNLESS_SAID }) => MaxAttempts > 0)
      .map(({ ErrorEquals, MaxAttempts = RETRIES_UNLESS_SAID }) => {
        return `${self} -.->|${label(`${errors(ErrorEquals)}: again, up to ${MaxAttempts} times`)}| ${self}`
      }),
    ...(state.Catch ?? []).map(({ ErrorEquals, Next }) => `${self} -.->|${label(errors(ErrorEquals))}| ${idOf(Next)}`),
  ]
}

function errors(names: readonly string[]): string {
  const plain = names.map((name) => (name === 'States.ALL' ? 'any error' : name))
  return plain.length > 3 ? `${plain.slice(0, 2).join(', ')} and ${plain.length - 2} more` : plain.join(', ')
}

/** `end` alone would end a subgraph, and a name that begins with x or o would change the arrow before it. */
const id = (text: string) => `s_${text.replaceAll(/[^A-Za-z0-9]+/g, '_')}`

const label = (text: string) => `"${text.replace(/\.$/, '').replaceAll('"', '#quot;')}"`

/**
 * README with the drawing in the place of whatever stood between the markers.
 * @throws when a marker is missing
 */
export function insertGraph(readme: string, graph: string): string {
  const begin = readme.indexOf(BEGIN)
  const end = readme.indexOf(END)
  if (begin < 0 || end < begin) throw new Error(`README.md needs these two lines, in this order:\n${BEGIN}\n${END}`)
  return `${readme.slice(0, begin)}${BEGIN}\n\n\`\`\`mermaid\n${graph}\n\`\`\`\n\n${readme.slice(end)}`
}

if (import.meta.main) {
  const root = resolve(import.meta.dirname, '..')
  const file = join(root, 'README.md')
  const machine: Machine = JSON.parse(readFileSync(join(root, 'workflows/pipeline.asl.json'), 'utf8'))
  const readme = readFileSync(file, 'utf8')
  const wanted = insertGraph(readme, drawGraph(machine))
  if (wanted === readme) console.log('README.md shows the state machine as it is.')
  else if (process.argv.includes('--check')) {
    console.error('README.md shows an older state machine than workflows/pipeline.asl.json. Run: npm run docs')
    process.exitCode = 1
  } else {
    writeFileSync(file, wanted)
    console.log('README.md: drew the state machine anew.')
  }
}
