/** What no template says. Each with its reason, and each to be overridden. */
import { BEHAVIOUR } from './assumed-behaviour.ts'
import { USE } from './assumed-use.ts'
import type { Assumption } from './assumption.ts'

export const ASSUMPTIONS = { ...USE, ...BEHAVIOUR } satisfies Record<string, Assumption>

export type AssumptionName = keyof typeof ASSUMPTIONS

/** What is on nobody's list here, and why. */
export const NOT_IN_THE_BILL = [
  'Taxes, support plans, discounts, credits, reserved instances.',
  'Free allowances of the account for Lambda (1M calls, 400,000 GB-s) and CloudWatch (10 alarms, 10 metrics, 5 GB of logs): whatever else is in the account has used them. Those of SQS (1M), Step Functions (4,000), CodeBuild (100 min) and dashboards (3) are counted, $1 in all.',
  "What leaves AWS: analysts' answers over the internet ($0.09 a GB), their VPN. What goes out by a NAT gateway or instance is far below the 100 GB a month that are free.",
  "What is the account's and not the stage's: CloudTrail, Config, GuardDuty; GitHub's minutes.",
  'Step Functions counts a transition for each state that is entered. Should the start of an execution count too, that is $0.025 for 1,000 batches more.',
  'A gigabyte here has 10^9 bytes. AWS counts 2^30 for storage, and charges 7 % less.',
]
