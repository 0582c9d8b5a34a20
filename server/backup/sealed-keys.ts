import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto'
import { z } from 'zod'
import { BackupError } from './error'

/** Cost of one guess at the passphrase: 128 MB and about 0.3 s (RFC 7914; OWASP's cheat sheet asks for N = 2^17). */
const COST = { N: 2 ** 17, r: 8, p: 1 }
const base64 = z.string().transform((value) => Buffer.from(value, 'base64'))
const sealedSchema = z.object({
  scrypt: z.object({
    N: z
      .int()
      .min(2 ** 14)
      .max(2 ** 20),
    r: z.int().min(1).max(16),
    p: z.int().min(1).max(4),
    salt: base64,
  }),
  nonce: base64,
  body: base64,
})

/** Master keys as text: 32 bytes in base64 a line, the current one first. */
export const keysAsText = (keys: readonly Buffer[]) =>
  keys.map((key) => `${key.toString('base64')}\n`).join('')

/** Reads {@link keysAsText} back. Throws a {@link BackupError}. */
export function keysOfText(text: string): Buffer[] {
  const keys = text
    .split('\n')
    .filter(Boolean)
    .map((line) => Buffer.from(line, 'base64'))
  if (keys.length === 0 || keys.some((key) => key.length !== 32))
    throw new BackupError('The key file of the backup does not hold keys of 32 bytes.')
  return keys
}

/** Seals keys by a passphrase: scrypt makes the key of AES-256-GCM. */
export function sealKeys(keys: readonly Buffer[], passphrase: string): string {
  const [salt, nonce] = [randomBytes(16), randomBytes(12)]
  const cipher = createCipheriv('aes-256-gcm', derived(passphrase, { ...COST, salt }), nonce)
  const body = Buffer.concat([cipher.update(keysAsText(keys), 'utf8'), cipher.final(), cipher.getAuthTag()])
  const text = (bytes: Buffer) => bytes.toString('base64')
  return `${JSON.stringify({ scrypt: { ...COST, salt: text(salt) }, nonce: text(nonce), body: text(body) }, null, 2)}\n`
}

/** Opens what {@link sealKeys} made. Throws a {@link BackupError} where the passphrase is another one. */
export function unsealKeys(sealed: string, passphrase: string): Buffer[] {
  try {
    const { scrypt, nonce, body } = sealedSchema.parse(JSON.parse(sealed))
    const decipher = createDecipheriv('aes-256-gcm', derived(passphrase, scrypt), nonce)
    decipher.setAuthTag(body.subarray(-16))
    return keysOfText(
      Buffer.concat([decipher.update(body.subarray(0, -16)), decipher.final()]).toString('utf8'),
    )
  } catch (cause) {
    throw new BackupError(
      'The master key in the backup does not open: BACKUP_PASSPHRASE is not the one that it was made with, or the file is damaged.',
      undefined,
      { cause },
    )
  }
}

function derived(passphrase: string, { N, r, p, salt }: typeof COST & { salt: Buffer }): Buffer {
  return scryptSync(passphrase.normalize('NFKC'), salt, 32, { N, r, p, maxmem: 256 * N * r })
}
