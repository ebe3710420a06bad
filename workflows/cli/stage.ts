/** How the command line reaches a stage: by the AWS credentials of its environment, or the laptop cloud that is running. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { SFNClient } from '@aws-sdk/client-sfn'

export class StageNotFound extends Error {
  override readonly name = 'StageNotFound'
}

/** Written by `npm start` for as long as it runs: the endpoint and keys of the laptop cloud. */
const LOCAL_ENVIRONMENT = join(import.meta.dirname, '../../.sluice/start/env')

/**
 * Clients for a stage.
 *
 * @throws {StageNotFound} for stage `local` when no laptop cloud is running
 */
export function connect(stage: string): SFNClient {
  if (stage === 'local') {
    if (!existsSync(LOCAL_ENVIRONMENT)) {
      throw new StageNotFound(
        'No laptop cloud is running. Start it with `npm start`, or name another stage with --stage.',
      )
    }
    // Over what the shell has set: a developer's own keys and region must not reach the laptop cloud, nor it real AWS.
    Object.assign(process.env, parseEnv(readFileSync(LOCAL_ENVIRONMENT, 'utf8')))
  }
  return new SFNClient()
}
