/** Secrets, keys, and notices. */
import { z } from 'zod'
import type { Estimate } from './estimate.ts'
import { callsInAll } from './functions.ts'
import { type BillLine, charge, count } from './line.ts'
import { prices } from './prices.ts'
import { countOf, resourcesOf } from './template.ts'

const subscription = z.looseObject({ Protocol: z.string() })

/** Variables of a build that are fields of a secret: each is a call. */
const FIELDS_OF_A_BUILD = 5
/** What CodeBuild asks of the key of AWS's with which it encrypts artifacts and cache. */
const KEY_CALLS_OF_A_BUILD = 10

export function secretLines(estimate: Estimate): BillLine[] {
  const { template, traffic, assumed } = estimate
  const secrets = countOf(template, 'AWS::SecretsManager::Secret')
  const keys = countOf(template, 'AWS::KMS::Key')
  const cold = callsInAll(estimate) * assumed.coldShare
  const ofBuilds = traffic.builds * FIELDS_OF_A_BUILD
  const keyCalls = keys * assumed.keyCalls
  const buildCalls = traffic.builds * KEY_CALLS_OF_A_BUILD
  const mails = resourcesOf(template, 'AWS::SNS::Subscription', subscription).filter(
    ({ Protocol }) => Protocol === 'email',
  ).length
  const notices = traffic.files > 0 ? assumed.notices : 0
  return [
    charge('Secrets', prices.secret, [[secrets, `${secrets} secrets`]]),
    charge('Secrets: read', prices.secretCall, [
      [cold, `${count(cold)} by new environments`],
      [ofBuilds, `${count(ofBuilds)} by builds`],
    ]),
    charge('Keys', prices.key, [[keys, `${keys} keys`]]),
    charge('Keys: used', prices.keyCall, [
      [keyCalls, `${count(keyCalls)} calls`],
      [buildCalls, `${count(buildCalls)} by builds, of AWS's key`],
    ]),
    charge('SNS: notices', prices.notice, [[notices, `${notices} notices`]]),
    charge('SNS: mail', prices.mail, [[mails * notices, `${mails} addresses x ${notices}`]]),
  ]
}

/** Subscriptions that cost something else than a mail. */
export function unpricedSubscriptions({ template }: Estimate): string[] {
  return resourcesOf(template, 'AWS::SNS::Subscription', subscription)
    .filter(({ Protocol }) => Protocol !== 'email')
    .map(({ id, Protocol }) => `AWS::SNS::Subscription ${id}: ${Protocol}`)
}
