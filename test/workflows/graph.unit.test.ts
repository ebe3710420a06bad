import { expect, test } from 'vitest'
import { drawGraph, insertGraph, type Machine } from '../../workflows/graph.ts'

const MARKERS = [
  '<!-- The state machine, drawn from workflows/pipeline.asl.json by `npm run docs`. Do not edit. -->',
  '<!-- End of the state machine. -->',
] as const

const draw = (States: Machine['States']) => drawGraph({ StartAt: Object.keys(States)[0] ?? '', States }).split('\n  ')

test('a Choice has a way for each of its branches, labelled by the comment', () => {
  const graph = draw({
    Which: {
      Type: 'Choice',
      Choices: [
        { Comment: 'A batch with "poison".', Next: 'Work' },
        { Condition: '{% true %}', Next: 'Bad' },
      ],
      Default: 'Fine',
    },
    Work: { Type: 'Task', End: true },
    Bad: { Type: 'Fail' },
    Fine: { Type: 'Succeed' },
  })

  expect(graph).toEqual([
    'flowchart TD',
    's_start(( ))',
    's_Which{"Which"}',
    's_Work["Work"]',
    's_Bad>"Bad: fails"]',
    's_Fine(["Fine"])',
    's_end(( ))',
    's_start --> s_Which',
    's_Which -->|"A batch with #quot;poison#quot;"| s_Work',
    's_Which -->|"{% true %}"| s_Bad',
    's_Which -->|"otherwise"| s_Fine',
    's_Work --> s_end',
  ])
})

test('what happens after an error is dotted', () => {
  const graph = draw({
    Work: {
      Type: 'Task',
      Retry: [
        { ErrorEquals: ['BadItem'], MaxAttempts: 0 },
        { ErrorEquals: ['States.ALL'], MaxAttempts: 5 },
        { ErrorEquals: ['Transient', 'B', 'C', 'D'] },
      ],
      Catch: [{ ErrorEquals: ['BadItem', 'WorseItem'], Next: 'Bad' }],
      Next: 'Bad',
    },
    Bad: { Type: 'Fail' },
  })

  expect(graph).toContain('s_Work -.->|"any error: again, up to 5 times"| s_Work')
  expect(graph).toContain('s_Work -.->|"Transient, B and 2 more: again, up to 3 times"| s_Work')
  expect(graph).toContain('s_Work -.->|"BadItem, WorseItem"| s_Bad')
  expect(graph.filter((line) => line.includes('-.->'))).toHaveLength(3)
})

test('a Map holds its states, whose names may repeat those outside', () => {
  const inner: Machine = { StartAt: 'Work', States: { Work: { Type: 'Task', End: true } } }

  const graph = draw({ Work: { Type: 'Task', Next: 'Each' }, Each: { Type: 'Map', ItemProcessor: inner, End: true } })

  expect(graph.join('\n')).toContain(
    [
      'subgraph s_Each["Each, for each"]',
      '  s_Each_start(( ))',
      '  s_Each_Work["Work"]',
      '  s_Each_end(( ))',
      '  s_Each_start --> s_Each_Work',
      '  s_Each_Work --> s_Each_end',
      'end',
    ].join('\n'),
  )
  expect(graph).toContain('s_Work --> s_Each')
})

test('branches of a Parallel may have states of the same name', () => {
  const branch: Machine = { StartAt: 'Work', States: { Work: { Type: 'Task', End: true } } }

  const graph = draw({ Both: { Type: 'Parallel', Branches: [branch, branch], End: true } })

  expect(graph).toContain('  s_Both_0_Work["Work"]')
  expect(graph).toContain('  s_Both_1_Work["Work"]')
})

test('the drawing takes the place of what stood between the markers, and nothing else', () => {
  const readme = (between: string) => `before\n${MARKERS[0]}\n${between}${MARKERS[1]}\nafter`

  const once = insertGraph(readme('old'), 'flowchart TD')

  expect(once).toBe(readme('\n```mermaid\nflowchart TD\n```\n\n'))
  expect(insertGraph(once, 'flowchart TD')).toBe(once)
})

test.each([['no marker'], [MARKERS[0]], [`${MARKERS[1]}\n${MARKERS[0]}`]])('a README with %j is refused', (readme) => {
  expect(() => insertGraph(readme, 'flowchart TD')).toThrow('README.md needs these two lines')
})
