/** What the command line says when something fails: what is wrong, and what to do about it. */

/** The stage, or a part of it, is not where the command line looked. */
export class StageNotFound extends Error {
  override readonly name = 'StageNotFound'
}

/** A command cannot do what it was asked to; the message says why and what to do. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed'
}

/** What an error means to the person who typed the command. */
export function explainError(error: unknown, stage: string): string {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof StageNotFound || error instanceof CommandFailed) return error.message
  const message = `${error.name}: ${error.message}`
  if (/^(ResourceNotFoundException|QueueDoesNotExist|StateMachineDoesNotExist)$/.test(error.name)) {
    return `no Sluice stage '${stage}' in this account and region: check --stage, AWS_PROFILE, AWS_REGION`
  }
  if (
    /^(CredentialsProviderError|ExpiredToken\w*|UnrecognizedClientException|InvalidClientTokenId)$/.test(error.name)
  ) {
    return `AWS did not accept who you are (${message}): set AWS_PROFILE, or log in again`
  }
  if (/Region is missing/.test(error.message)) return 'no region is set: set AWS_REGION, or one in your AWS_PROFILE'
  if (/^(AccessDenied\w*|Forbidden)$/.test(error.name)) {
    return `you may not do this (${message}): the README lists what the command line needs`
  }
  if (/^(TooManyRequestsException|ThrottlingException)$/.test(error.name)) {
    return `too many ask at the same time (${error.name}): try again in a moment`
  }
  if ('code' in error && /^E(CONN|HOST|NET|AI_|NOTFOUND|PIPE)/.test(String(error.code))) {
    const where = process.env.AWS_ENDPOINT_URL ?? 'AWS'
    return `${where} cannot be reached (${String(error.code)}): check the network${stage === 'local' ? ', and whether `npm start` is still running' : ''}`
  }
  return message
}
