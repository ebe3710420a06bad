/** The Lambda function with which a deployment runs a build: it waits, and fails the deployment when the build fails. */
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs'
import { CodeBuildClient } from '@aws-sdk/client-codebuild'
import type { Context } from 'aws-lambda'
import { readEnvironment } from '../env.ts'
import { AWS_ANSWER_TIMEOUT_MS, AWS_CONNECT_TIMEOUT_MS } from '../limits.ts'
import { type BuildOutcome, runBuild } from './start-build.ts'

const requestHandler = {
  connectionTimeout: AWS_CONNECT_TIMEOUT_MS,
  requestTimeout: AWS_ANSWER_TIMEOUT_MS,
  throwOnRequestTimeout: true,
}
const clients = {
  // Calls are repeated here, for as long as there is time, and not by the client.
  codebuild: new CodeBuildClient({ requestHandler, maxAttempts: 1 }),
  logs: new CloudWatchLogsClient({ requestHandler }),
}

/** The event is empty: what to build stands in the environment, and with it in the version that the deployment calls. */
export const handler = async (_event: unknown, context: Context): Promise<BuildOutcome> => {
  const { PROJECT_NAME } = readEnvironment('PROJECT_NAME')
  return await runBuild(clients, PROJECT_NAME, context.awsRequestId, () => context.getRemainingTimeInMillis())
}
