import { describe, expect, test } from 'vitest'
import { lint, type RuleName, ruleNames } from './lint.ts'

/** A Task that keeps every rule; its total is 30 + 2 x 30 + 5 + 10 = 105 s. */
const retrier = {
  ErrorEquals: ['States.ALL'],
  IntervalSeconds: 5,
  BackoffRate: 2,
  MaxAttempts: 2,
  MaxDelaySeconds: 60,
  JitterStrategy: 'FULL',
}
const task = {
  Type: 'Task',
  Comment: 'Given up after 105 seconds.',
  Resource: 'arn:aws:states:::lambda:invoke',
  Arguments: { FunctionName: '$' + '{WorkFunctionArn}', Payload: {} },
  TimeoutSeconds: 30,
  Retry: [retrier],
  Next: 'Done',
}
const done = { Type: 'Succeed' }
const machine = (states: object, StartAt = 'Work'): object => ({
  QueryLanguage: 'JSONata',
  StartAt,
  States: { ...states, Done: done },
})
const withTask = (changes: object): object => machine({ Work: { ...task, ...changes } })
const withRetrier = (changes: object): object => withTask({ Retry: [{ ...retrier, ...changes }] })
const without = (field: keyof typeof task): object => {
  const { [field]: _, ...rest } = task
  return machine({ Work: rest })
}
const pass = (fields: object): object => machine({ Work: { Type: 'Pass', Next: 'Done', ...fields } })

const wrong: readonly (readonly [RuleName, string, object, string])[] = [
  ['undefined-variable', 'a variable that nobody assigns', pass({ Output: '{% $runId %}' }), 'Work: $runId is no'],
  [
    'undefined-variable',
    'a function that nobody defines',
    pass({ Output: { n: ['{% $cuont([]) %}'] } }),
    '$cuont is no',
  ],
  [
    'undefined-variable',
    'a variable in a filter',
    pass({ Output: '{% $states.input.files[id > $lastId] %}' }),
    '$lastId',
  ],
  [
    'undefined-variable',
    'a variable that its own state assigns',
    pass({ Assign: { page: 1 }, Output: '{% $page %}' }),
    '$page is no',
  ],
  [
    'undefined-variable',
    'a variable that only a later state assigns',
    machine({
      Work: { Type: 'Pass', Output: '{% $page %}', Next: 'Count' },
      Count: { Type: 'Pass', Assign: { page: 1 }, Next: 'Done' },
    }),
    'Work: $page',
  ],
  [
    'undefined-variable',
    'a variable of a function, outside the function',
    pass({ Output: '{% ($f := function($x) { $x }; $f($x)) %}' }),
    '$x is no',
  ],
  [
    'undefined-variable',
    'an outer variable in a distributed Map',
    machine({
      Work: { Type: 'Pass', Assign: { page: 1 }, Next: 'Each' },
      Each: {
        Type: 'Map',
        MaxConcurrency: 5,
        ItemProcessor: {
          ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
          StartAt: 'Inner',
          States: { Inner: { Type: 'Pass', Output: '{% $page %}', End: true } },
        },
        Next: 'Done',
      },
    }),
    'Each.ItemProcessor.Inner: $page',
  ],
  ['bare-name', 'a name without $states', pass({ Output: '{% trigger %}' }), 'trigger finds nothing'],
  ['bare-name', 'the context of JSONPath', pass({ Output: '{% $.trigger %}' }), '$ finds nothing'],
  ['states-field', 'a misspelt field of $states', pass({ Output: '{% $states.inputs.trigger %}' }), 'no field inputs'],
  [
    'states-field',
    'a field of $states by a computed name',
    pass({ Output: "{% $lookup($states, 'x') %}" }),
    'no field *',
  ],
  [
    'result-too-early',
    'the result in Arguments',
    withTask({ Arguments: { FunctionName: 'f', Payload: { ids: ['{% $states.result.ids %}'] } } }),
    'Work: Arguments.Payload.ids.0 reads $states.result',
  ],
  ['result-too-early', 'the result of a Pass', pass({ Output: '{% $states.result %}' }), 'Output reads $states.result'],
  [
    'result-too-early',
    'the result in a Catch',
    withTask({ Catch: [{ ErrorEquals: ['Poison'], Next: 'Done', Output: '{% $states.result %}' }] }),
    'Catch.0.Output reads $states.result',
  ],
  [
    'error-output-outside-catch',
    'the error in Output',
    withTask({ Output: '{% $states.errorOutput.Cause %}' }),
    'Output reads $states.errorOutput',
  ],
  ['eval', 'a text run as an expression', pass({ Output: "{% $eval('1') %}" }), 'Output uses $eval'],
  [
    'all-not-alone-and-last',
    'States.ALL beside another error',
    withRetrier({ ErrorEquals: ['States.ALL', 'States.Timeout'] }),
    'must stand alone',
  ],
  [
    'all-not-alone-and-last',
    'States.ALL before another retrier',
    withTask({
      Comment: 'Given up after 180 seconds.',
      Retry: [retrier, { ...retrier, ErrorEquals: ['States.Timeout'] }],
    }),
    'in the last one',
  ],
  ['unknown-field', 'a misspelt field of a Task', withTask({ TimeoutSecond: 30 }), 'Work: unknown field TimeoutSecond'],
  ['unknown-field', 'a field of JSONPath', pass({ ResultPath: '$.x' }), 'unknown field ResultPath'],
  [
    'unknown-field',
    'a misspelt field of Retry',
    withRetrier({ MaxDelaySecond: 1 }),
    'Retry: unknown field MaxDelaySecond',
  ],
  [
    'unknown-field',
    'a misspelt field of Catch',
    withTask({ Catch: [{ ErrorEquals: ['Poison'], Next: 'Done', Outputs: 1 }] }),
    'Catch: unknown field Outputs',
  ],
  [
    'unknown-field',
    'a misspelt field of a Choice rule',
    machine({ Work: { Type: 'Choice', Choices: [{ Condition: '{% true %}', Next: 'Done', Asign: {} }] } }),
    'Choices: unknown field Asign',
  ],
  [
    'unknown-field',
    'a misspelt field of the machine',
    { ...withTask({}), Timeout: 1 },
    'machine: unknown field Timeout',
  ],
  [
    'unknown-resource',
    'a misspelt service call',
    withTask({ Resource: 'arn:aws:states:::lambda:invok' }),
    "Resource is 'arn:aws:states:::lambda:invok'",
  ],
  ['unknown-resource', 'no resource', without('Resource'), "Resource is ''"],
  [
    'unknown-resource',
    'a misspelt argument',
    withTask({ Arguments: { FunctionName: 'f', PayLoad: {} } }),
    'Arguments: unknown field PayLoad',
  ],
  ['task-timeout', 'a Task without a timeout', without('TimeoutSeconds'), 'needs TimeoutSeconds'],
  ['task-timeout', 'a Task with a computed timeout', withTask({ TimeoutSeconds: '{% 30 %}' }), 'needs TimeoutSeconds'],
  ['task-retry', 'a Task without retries', without('Retry'), 'needs Retry'],
  ['task-retry', 'a Task with an empty list of retries', withTask({ Retry: [] }), 'needs Retry'],
  ['task-comment', 'a Task without a comment', without('Comment'), 'needs a Comment'],
  [
    'map-concurrency',
    'a Map without a bound',
    machine({
      Work: {
        Type: 'Map',
        ItemProcessor: { StartAt: 'Inner', States: { Inner: { Type: 'Pass', End: true } } },
        Next: 'Done',
      },
    }),
    'needs MaxConcurrency',
  ],
  ['retry-jitter', 'retries without jitter', withRetrier({ JitterStrategy: undefined }), "'FULL'"],
  ['retry-jitter', 'retries with misspelt jitter', withRetrier({ JitterStrategy: 'FUL' }), "'FULL'"],
  ['retry-max-delay', 'retries without a longest wait', withRetrier({ MaxDelaySeconds: undefined }), 'MaxDelaySeconds'],
  ['retry-total', 'a comment without the total', withTask({ Comment: 'Works.' }), 'take 105 s in all'],
  [
    'retry-total',
    'a comment with another total',
    withTask({ Comment: 'after 1 minute' }),
    'after 1 minutes, its tries',
  ],
  [
    'catch-unclassified',
    'a catch of every error',
    withTask({ Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Done' }] }),
    'Catch of States.ALL',
  ],
  [
    'catch-unclassified',
    'a catch of nearly every error',
    withTask({ Catch: [{ ErrorEquals: ['Poison', 'States.TaskFailed'], Next: 'Done' }] }),
    'Catch of States.TaskFailed',
  ],
  [
    'fail-after-catch',
    'a catch that leads to a Fail',
    machine({
      Work: { ...task, Catch: [{ ErrorEquals: ['Poison'], Next: 'Note' }] },
      Note: { Type: 'Pass', Next: 'GiveUp' },
      GiveUp: { Type: 'Fail' },
    }),
    'Catch leads to GiveUp',
  ],
]

const right: readonly (readonly [string, object])[] = [
  ['a Task that keeps every rule', withTask({})],
  ['a total rounded up to minutes', withTask({ Comment: 'Given up after 2 minutes.' })],
  [
    'the result in Output and Assign',
    withTask({ Output: '{% $states.result %}', Assign: { a: '{% $states.result %}' } }),
  ],
  [
    'the error in a Catch by name',
    withTask({ Catch: [{ ErrorEquals: ['Poison'], Next: 'Done', Output: '{% $states.errorOutput %}' }] }),
  ],
  ['functions of JSONata and of Step Functions', pass({ Output: '{% $count($range(1, 3, 1)) & $uuid() %}' })],
  [
    'variables that an expression defines itself',
    pass({
      Output:
        '{% ($n := 1; $f := function($x) { $x = 0 ? $n : $f($x - 1) }; $states.input.a@$q#$i.($q & $i & $f(2))) %}',
    }),
  ],
  [
    'names behind a dot and in a filter',
    pass({ Output: '{% $states.input.files[size > 0].{ "id": id, "of": $.of } %}' }),
  ],
  [
    'a variable that an earlier state assigns, in a Choice rule and around a Map',
    machine({
      Work: {
        Type: 'Choice',
        Choices: [{ Condition: '{% true %}', Next: 'Each', Assign: { page: 1 } }],
        Default: 'Done',
      },
      Each: {
        Type: 'Map',
        MaxConcurrency: 5,
        ItemProcessor: {
          StartAt: 'Inner',
          States: { Inner: { Type: 'Pass', Output: '{% $page %}', End: true } },
        },
        Next: 'Done',
      },
    }),
  ],
  [
    'a variable that a loop brings round',
    machine({
      Work: { Type: 'Pass', Output: '{% $exists($page) ? $page : 0 %}', Assign: { page: 1 }, Next: 'Again' },
      Again: { Type: 'Choice', Choices: [{ Condition: '{% $page < 3 %}', Next: 'Work' }], Default: 'Done' },
    }),
  ],
]

describe('the lint', () => {
  test.each(wrong)('objects by %s, and by no other rule, to %s', async (rule, _, definition, message) => {
    const findings = await lint(JSON.parse(JSON.stringify(definition)))

    expect(findings).toEqual([{ rule, message: expect.stringContaining(message) }])
  })

  test('objects twice to a catch of every error that comes before another', async () => {
    const catchers = ['States.ALL', 'Poison'].map((error) => ({ ErrorEquals: [error], Next: 'Done' }))

    const findings = await lint(withTask({ Catch: catchers }))

    expect(findings.map(({ rule }) => rule)).toEqual(['all-not-alone-and-last', 'catch-unclassified'])
  })

  test.each(right)('lets pass %s', async (_, definition) => {
    expect(await lint(JSON.parse(JSON.stringify(definition)))).toEqual([])
  })

  test('has a wrong definition for every rule', () => {
    expect(new Set(wrong.map(([rule]) => rule))).toEqual(new Set(ruleNames))
  })
})
