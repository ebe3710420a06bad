/** How the command line ends, for scripts. The README and `--help` say the same. */

export const EXIT_FAILED = 1

export const EXIT_WRONG_USE = 2

/** Only `status`: it did its work, and found something that a person should look at. */
export const EXIT_NEEDS_ATTENTION = 3

/** What a shell expects of a program that Ctrl-C ended. */
export const EXIT_INTERRUPTED = 130
