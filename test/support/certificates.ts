/** Certificates of an authority of our own, and a PostgreSQL that has one. Made here, so that no key lies in the repository. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { appendFileSync, chownSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Postgres } from '../../infra/local/postgres.ts'

export interface Authority {
  readonly name: string
  readonly key: KeyObject
  /** Its own certificate, in PEM. */
  readonly certificate: string
}

export function makeAuthority(name: string): Authority {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const isAuthority = extension('551d13', true, sequence(tagged(0x01, Buffer.of(0xff))))
  return { name, key: privateKey, certificate: certify({ name, key: privateKey }, name, publicKey, isAuthority) }
}

/** Has the server of a test speak TLS with a certificate for this name, and refuse whoever does not. It takes a moment. */
export function encrypt(server: Postgres, authority: Authority, name: string): void {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const alternatives = extension('551d11', false, sequence(tagged(0x82, Buffer.from(name))))
  const certificate = certify(authority, name, publicKey, alternatives)
  const { uid, gid } = statSync(server.data)
  const files = {
    'server.crt': certificate,
    'server.key': privateKey.export({ type: 'pkcs8', format: 'pem' }),
    'pg_hba.conf': 'hostssl all all all scram-sha-256\n',
  }
  for (const [file, text] of Object.entries(files)) {
    writeFileSync(join(server.data, file), text, { mode: 0o600 })
    chownSync(join(server.data, file), uid, gid)
  }
  appendFileSync(join(server.data, 'postgresql.conf'), 'ssl = on\n')
  process.kill(server.pid, 'SIGHUP')
}

/** A certificate in PEM, valid for a day, as RFC 5280 puts it. */
function certify(issuer: Pick<Authority, 'name' | 'key'>, subject: string, key: KeyObject, ...extensions: Buffer[]) {
  const algorithm = sequence(tagged(0x06, Buffer.from('2a8648ce3d040302', 'hex')))
  const nameOf = (text: string) =>
    sequence(tagged(0x31, sequence(tagged(0x06, Buffer.from('550403', 'hex')), tagged(0x0c, Buffer.from(text)))))
  const time = (milliseconds: number) => {
    const digits = new Date(milliseconds).toISOString().replaceAll(/\D/g, '')
    return tagged(0x17, Buffer.from(`${digits.slice(2, 14)}Z`))
  }
  const hour = 3_600_000
  const signed = sequence(
    tagged(0xa0, tagged(0x02, Buffer.of(2))),
    tagged(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    algorithm,
    nameOf(issuer.name),
    sequence(time(Date.now() - hour), time(Date.now() + 24 * hour)),
    nameOf(subject),
    key.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions)),
  )
  const signature = tagged(0x03, Buffer.of(0), sign('sha256', signed, issuer.key))
  const base64 = sequence(signed, algorithm, signature).toString('base64')
  return `-----BEGIN CERTIFICATE-----\n${base64.match(/.{1,64}/g)?.join('\n')}\n-----END CERTIFICATE-----\n`
}

function extension(id: string, isCritical: boolean, value: Buffer): Buffer {
  const critical = isCritical ? [tagged(0x01, Buffer.of(0xff))] : []
  return sequence(tagged(0x06, Buffer.from(id, 'hex')), ...critical, tagged(0x04, value))
}

/** A value of ASN.1 in DER. */
function tagged(tag: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const length = body.length.toString(16).padStart(2, '0')
  const bytes = Buffer.from(length.length % 2 === 0 ? length : `0${length}`, 'hex')
  const head = body.length < 128 ? Buffer.of(body.length) : Buffer.concat([Buffer.of(0x80 + bytes.length), bytes])
  return Buffer.concat([Buffer.of(tag), head, body])
}

const sequence = (...parts: Buffer[]): Buffer => tagged(0x30, ...parts)
