/** What a database error means. Only its code is ever looked at or logged: the text can carry the data of a row. */

/** SQLSTATE or socket code (`ECONNREFUSED`) of the first error in the chain of causes that has one. */
export function errorCode(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && typeof cause.code === 'string') return cause.code
  }
  return undefined
}

/**
 * Whether the database blames the data: class 22 (data exception) and the two limits that a document can exceed
 * (54000 program limit, 54001 stack depth). Nothing else may turn a file into poison.
 * https://www.postgresql.org/docs/17/errcodes-appendix.html
 */
export function isDataRefused(error: unknown): boolean {
  return /^(22...|54000|54001)$/.test(errorCode(error) ?? '')
}

/** The password was refused: the secret has been rotated since it was read. */
export function isPasswordRefused(error: unknown): boolean {
  return errorCode(error) === '28P01'
}

/** From pg 8: a socket closed in mid-question, no connection in time, a question asked after the socket broke. */
const LOST_CONNECTION_MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/

/**
 * Whether the connection was refused or lost, so that the same transaction may be tried again at once on a new one:
 * SQLSTATE class 08, 57P01-57P03 (shut down, crashed, starting), 53300 (too many connections), a socket error, or one of
 * pg's own messages, which have no code.
 */
export function isConnectionLost(error: unknown): boolean {
  const code = errorCode(error)
  if (code !== undefined) return /^(08...|57P0[123]|53300|E(CONN|PIPE|HOST|NET|TIMEDOUT|AI_).*)$/.test(code)
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (LOST_CONNECTION_MESSAGES.test(cause.message)) return true
  }
  return false
}
