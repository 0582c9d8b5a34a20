import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Makes tokens by openssl alone: it shares no code with what verifies them. */
export function openForger() {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-forger-'))
  const file = (name: string, content: string | Buffer) => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] })
  return {
    /** HMAC-SHA-256 (or another digest) under any key, the empty one included. */
    hmac(header: object, claims: object, key: Buffer, digest = 'sha256') {
      const signed = signingInput(header, claims)
      // HMAC fills keys up with zeros (RFC 2104): one zero is the empty key, which openssl does not take.
      const hex = key.toString('hex') || '00'
      const mac = openssl(
        ...['dgst', `-${digest}`, '-mac', 'HMAC', '-macopt', `hexkey:${hex}`, '-binary'],
        file('signed', signed),
      )
      return `${signed}.${mac.toString('base64url')}`
    },
    /** A key pair of the forger's own: ES256 by default. */
    keyPair() {
      const key = join(folder, 'key.pem')
      openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', key)
      const certificate = join(folder, 'certificate.pem')
      openssl(
        ...['req', '-x509', '-new', '-key', key, '-subj', '/CN=forger', '-days', '1', '-out', certificate],
      )
      const der = openssl('ec', '-in', key, '-pubout', '-outform', 'DER')
      const point = der.subarray(-64)
      const jwk = {
        ...{ kty: 'EC', crv: 'P-256' },
        x: point.subarray(0, 32).toString('base64url'),
        y: point.subarray(32).toString('base64url'),
      }
      return { key, jwk, certificate: readFileSync(certificate, 'utf8') }
    },
    /** ECDSA with a key file, in the fixed-length form that JWS takes. */
    ecdsa(header: object, claims: object, key: string) {
      const signed = signingInput(header, claims)
      const der = openssl('dgst', '-sha256', '-sign', key, file('signed', signed))
      return `${signed}.${fixedLength(der).toString('base64url')}`
    },
    /** Public key of a JWK as PEM. */
    pemOf({ x, y }: { x: string; y: string }) {
      const prefix = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex')
      const der = Buffer.concat([prefix, Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
      return openssl('ec', '-pubin', '-inform', 'DER', '-in', file('public.der', der), '-pubout').toString()
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}

export const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

export const signingInput = (header: object, claims: object) => `${part(header)}.${part(claims)}`

/** What is in a token, without believing it. */
export function read(token: string) {
  const [header = '', claims = '', signature = ''] = token.split('.')
  const json = (text: string) => JSON.parse(Buffer.from(text, 'base64url').toString())
  return { header: json(header), claims: json(claims), signature }
}

/** DER's two integers as 32 bytes each (RFC 7518, 3.4). */
function fixedLength(der: Buffer): Buffer {
  const out = Buffer.alloc(64)
  let at = 2
  for (const end of [32, 64]) {
    const length = der[at + 1] ?? 0
    const integer = der.subarray(at + 2, at + 2 + length)
    const digits = integer[0] === 0 ? integer.subarray(1) : integer
    digits.copy(out, end - digits.length)
    at += 2 + length
  }
  return out
}
