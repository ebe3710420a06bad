/** The message of a failed build, made to reach whoever deploys. */
import type { Build } from '@aws-sdk/client-codebuild'

const LINES = 20

/**
 * Characters of a line and bytes of the message, as JSON. CloudFormation takes 4,096 bytes as the answer of a custom resource,
 * its ids and the stack of CDK's handler included; of a longer answer nothing would be told.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
 */
const LINE_LENGTH = 300
const MESSAGE_BYTES = 2_400

/** Which build failed, where, and the last lines of its log: as many as fit, the last ones first of all. */
export function tellFailure(build: Build, logLines: readonly string[]): string {
  const failed = build.phases?.find(({ phaseStatus }) => phaseStatus !== undefined && phaseStatus !== 'SUCCEEDED')
  const reasons = failed?.contexts?.flatMap(({ message }) => message ?? []) ?? []
  const head = [
    `Build ${build.id} of project ${build.projectName}: ${build.buildStatus}` +
      `${failed ? ` in phase ${failed.phaseType}` : ''}`,
    ...reasons.slice(0, 2).map(shorten),
  ]
  const where = build.logs?.deepLink ?? `${build.logs?.groupName}, stream ${build.logs?.streamName}`
  const tail = [`All of it: ${where}`]
  if (logLines.length === 0) return [...head, 'Its log has no line.', ...tail].join('\n')

  const shown: string[] = []
  const message = () => [...head, 'The end of its log:', ...shown, ...tail].join('\n')
  for (const line of logLines.slice(-LINES).reverse()) {
    shown.unshift(`  ${shorten(line)}`)
    if (Buffer.byteLength(JSON.stringify(message())) <= MESSAGE_BYTES) continue
    shown.shift()
    break
  }
  return message()
}

const shorten = (text: string): string => (text.length > LINE_LENGTH ? `${text.slice(0, LINE_LENGTH - 1)}…` : text)
