/** The fields that a definition may have where its query language is JSONata. https://states-language.net */

const FLOW = ['Output', 'Assign', 'Next', 'End']

/** Of each kind of state, beside those that all have. */
const FIELDS_BY_TYPE: Record<string, readonly string[]> = {
  Task: ['Resource', 'Arguments', 'Credentials', 'TimeoutSeconds', 'HeartbeatSeconds', 'Retry', 'Catch', ...FLOW],
  Parallel: ['Branches', 'Arguments', 'Retry', 'Catch', ...FLOW],
  Map: [
    ...[
      'Items',
      'ItemReader',
      'ItemSelector',
      'ItemBatcher',
      'ItemProcessor',
      'ResultWriter',
      'MaxConcurrency',
      'Label',
    ],
    ...['ToleratedFailureCount', 'ToleratedFailurePercentage', 'Retry', 'Catch', ...FLOW],
  ],
  Pass: FLOW,
  Wait: ['Seconds', 'Timestamp', ...FLOW],
  Choice: ['Choices', 'Default', 'Output', 'Assign'],
  Succeed: ['Output'],
  Fail: ['Error', 'Cause'],
}

const RETRIER_WAITS = ['IntervalSeconds', 'MaxAttempts', 'BackoffRate', 'MaxDelaySeconds', 'JitterStrategy']

/** Of the parts that are no states. */
const FIELDS_BY_PART = {
  machine: ['Comment', 'QueryLanguage', 'Version', 'TimeoutSeconds', 'StartAt', 'States'],
  branch: ['Comment', 'QueryLanguage', 'StartAt', 'States', 'ProcessorConfig'],
  Retry: ['Comment', 'ErrorEquals', ...RETRIER_WAITS],
  Catch: ['Comment', 'ErrorEquals', 'Next', 'Output', 'Assign'],
  Choices: ['Comment', 'Condition', 'Next', 'Output', 'Assign'],
}

/** What a Task may call, and the arguments of the call. AWS knows thousands; what is misspelt is none of these. */
export const ARGUMENTS_BY_RESOURCE: Record<string, readonly string[]> = {
  'arn:aws:states:::lambda:invoke': ['FunctionName', 'Payload'],
  'arn:aws:states:::codebuild:startBuild.sync': ['ProjectName', 'EnvironmentVariablesOverride'],
  'arn:aws:states:::sns:publish': ['TopicArn', 'Subject', 'Message'],
  'arn:aws:states:::states:startExecution': ['StateMachineArn', 'Name', 'Input'],
}

/** One message for each field that `known` does not have. */
export const unknownFields = (value: object, known: readonly string[]): string[] =>
  Object.keys(value)
    .filter((field) => !known.includes(field))
    .map((field) => `unknown field ${field}. Known: ${known.join(', ')}.`)

/** The same for a part of a definition, whose fields depend on which part it is. */
export const unknownFieldsOf = (part: keyof typeof FIELDS_BY_PART, value: object): string[] =>
  unknownFields(value, FIELDS_BY_PART[part])

/** The same for a state, whose fields depend on its type. An unknown type has none. */
export const unknownFieldsOfState = (state: { readonly Type: string }): string[] =>
  unknownFields(state, ['Type', 'Comment', 'QueryLanguage', ...(FIELDS_BY_TYPE[state.Type] ?? [])])
