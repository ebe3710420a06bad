/** The logger of every function. Lines carry ids and counts, never a payload, a parameter or an error's text. */
import { Logger } from '@aws-lambda-powertools/logger'

export const logger = new Logger()
