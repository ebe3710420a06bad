/** What no stage may be deployed with: numbers that would lose files, promise too much, or be refused under load. */
import type { Stack } from 'aws-cdk-lib'
import type { IValidation } from 'constructs'
import { sources as registered } from '../../handlers/sources/registry.ts'
import type { Source } from '../../handlers/sources/source.ts'
import { buildsOverlap } from './builds.ts'
import type { Problem } from './built.ts'
import { reservedTooFew, tooManyConnections } from './connections.ts'
import { archived, deletedTooSoon, notVersioned } from './files.ts'
import { deadLettersExpire, deadWithinAnOutage, hiddenTooShort, loadedTooLate } from './messages.ts'
import { prefixesNotUnderInput, prefixesOverlap, silenceUnseen } from './sources.ts'

export interface GuardrailsProps {
  /** What a stage on AWS has besides. */
  readonly aws?: unknown
}

/** Rules that hold anywhere. They look at what the constructs became, so it does not matter where a number was changed. */
const RULES: readonly ((stack: Stack) => Problem[])[] = [
  hiddenTooShort,
  deadLettersExpire,
  loadedTooLate,
  notVersioned,
  deletedTooSoon,
  archived,
  reservedTooFew,
  tooManyConnections,
  buildsOverlap,
]

/** On the laptop an outage is one that a test makes, with receives and timeouts lowered so that it need not take an hour. */
const RULES_ON_AWS: readonly ((stack: Stack) => Problem[])[] = [deadWithinAnOutage]

const RULES_FOR_SOURCES: readonly ((sources: readonly Source[]) => Problem[])[] = [
  prefixesNotUnderInput,
  prefixesOverlap,
  silenceUnseen,
]

export class Guardrails implements IValidation {
  readonly #stack: Stack
  readonly #rules: readonly ((stack: Stack) => Problem[])[]
  readonly #sources: readonly Source[]

  constructor(stack: Stack, { aws }: GuardrailsProps, sources: readonly Source[] = registered) {
    this.#stack = stack
    this.#rules = aws === undefined ? RULES : [...RULES, ...RULES_ON_AWS]
    this.#sources = sources
  }

  /** Everything that is wrong at once, a line each. CDK fails the synthesis with them, and nothing is deployed. */
  validate(): string[] {
    const problems = [
      ...this.#rules.flatMap((rule) => rule(this.#stack)),
      ...RULES_FOR_SOURCES.flatMap((rule) => rule(this.#sources)),
    ]
    // What is wrong with two queues alike is one thing to mend.
    const places = Map.groupBy(problems, ({ says }) => says)
    return [...places].map(([says, alike]) => `${alike.map(({ at }) => at).join(', ')}: ${says}`)
  }
}
