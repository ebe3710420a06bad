/** Looks for credentials in every file that is in git or about to be. Part of `npm run check`. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { lintSource } from '@secretlint/core'
import { creator as preset } from '@secretlint/secretlint-rule-preset-recommend'

const presetId = '@secretlint/secretlint-rule-preset-recommend'
const config = {
  rules: [
    {
      id: presetId,
      rule: preset,
      rules: [
        {
          id: '@secretlint/secretlint-rule-aws',
          // Off by default. The id of a key opens nothing, but its key is not far from where it stands.
          options: { enableIDScanRule: true },
          // Of an account it is no secret: stages name theirs.
          allowMessageIds: ['AWSAccountID'],
        },
      ],
    },
  ],
}

/** One rule, one line, and a reason; the message below shows it. */
const directive = ['secretlint', 'disable'].join('-')
const exemption = new RegExp(`${directive}-(?:next-)?line @secretlint/[\\w-]+ -- \\w+`)

/** What looks like a credential in a text, a line each, without the credential. */
export async function secretsIn(path: string, content: string): Promise<string[]> {
  const { messages } = await lintSource({
    source: { content, filePath: path, ext: extname(path), contentType: 'text' },
    options: { config, maskSecrets: true },
  })
  const loose = content
    .split('\n')
    .flatMap((line, index) =>
      line.includes(directive) && !exemption.test(line)
        ? [`${path}:${index + 1}: an exemption names one line, one rule and, after --, its reason`]
        : [],
    )
  return [...messages.map(({ loc, ruleId, message }) => `${path}:${loc.start.line}: ${message} (${ruleId})`), ...loose]
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '../..')
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    ...{ cwd: root, encoding: 'utf8', maxBuffer: 64 * 2 ** 20 },
  })
  // A file that was deleted and not yet committed is still listed.
  const paths = listed.split('\0').filter((path) => path !== '' && existsSync(join(root, path)))
  const found: string[] = []
  for (const path of paths) found.push(...(await secretsIn(path, readFileSync(join(root, path), 'utf8'))))

  for (const line of found) console.log(line)
  if (found.length > 0) {
    console.log('Take them out of the history, and make new ones. What is none is exempt by a comment:')
    console.log(`  ${directive}-next-line @secretlint/secretlint-rule-aws -- AWS's own example`)
    process.exitCode = 1
  } else console.log(`Secrets: none in ${paths.length} files.`)
}
