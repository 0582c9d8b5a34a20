import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { chmodSync, existsSync, linkSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Seals secrets for the store and derives keys, all from the one master key that never stands in the store. */
export interface Vault {
  /** Id of the current master key: the first 8 bytes of its SHA-256, in hex. Safe to show. */
  keyId: string
  /** Ids of all master keys, the current one first. */
  keyIds: string[]
  /** Encrypts with AES-256-GCM; `context` is authenticated, so a sealed value cannot be moved elsewhere. */
  seal(plaintext: string, context: string): string
  /** Decrypts what {@link seal} made with the current or a previous master key; throws when it does not fit. */
  open(sealed: string, context: string): string
  /** HMAC-SHA-256 with a key of its own for each purpose. */
  mac(purpose: string, data: string | Buffer): Buffer
  /**
   * A 32-byte key derived for one purpose (HKDF, RFC 5869), from the current master key or the one of an id.
   * Throws when that one is not configured.
   */
  key(purpose: string, keyId?: string): Buffer
}

/** Raised when the master key cannot be read or is not 32 bytes. */
export class MasterKeyError extends Error {
  override name = 'MasterKeyError'
}

/** Opens the vault on a master key of 32 bytes; `previous` keys still open what they sealed. */
export function openVault(master: Buffer, previous: Buffer[] = []): Vault {
  const keys = new Map([master, ...previous].map((key) => [idOf(key), key]))
  const keyId = idOf(master)
  const derive = (from: Buffer, purpose: string) =>
    Buffer.from(hkdfSync('sha256', from, '', `holdfast/${purpose}`, 32))
  const masterOf = (id: string, what: string) => {
    const key = keys.get(id)
    if (!key) throw new MasterKeyError(`${what} master key ${id}, which is not configured.`)
    return key
  }
  return {
    keyId,
    keyIds: [...keys.keys()],
    seal(plaintext, context) {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', derive(master, 'seal'), nonce)
      cipher.setAAD(Buffer.from(`${keyId}|${context}`))
      const body = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()])
      return [
        keyId,
        nonce.toString('base64url'),
        Buffer.concat([body, cipher.getAuthTag()]).toString('base64url'),
      ].join('.')
    },
    open(sealed, context) {
      const [id = '', nonce = '', body = ''] = sealed.split('.')
      const key = masterOf(id, 'A value in the store was sealed with')
      const bytes = Buffer.from(body, 'base64url')
      const decipher = createDecipheriv('aes-256-gcm', derive(key, 'seal'), Buffer.from(nonce, 'base64url'))
      decipher.setAAD(Buffer.from(`${id}|${context}`))
      decipher.setAuthTag(bytes.subarray(-16))
      return Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString('utf8')
    },
    mac: (purpose, data) => createHmac('sha256', derive(master, purpose)).update(data).digest(),
    key: (purpose, id = keyId) => derive(masterOf(id, 'A key was asked for from'), purpose),
  }
}

/**
 * The master key: from the environment if given there, otherwise from `master.key` in the data folder (mode
 * 0600), which is made at the first start. Two starts at once end up with the same file.
 */
export function loadMasterKey(dataDir: string, fromEnv: string | undefined): Buffer {
  if (fromEnv) return Buffer.from(fromEnv, 'base64')
  const file = join(dataDir, 'master.key')
  if (!existsSync(file)) {
    const draft = `${file}.${process.pid}`
    writeFileSync(draft, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 })
    try {
      linkSync(draft, file)
    } catch (error) {
      if ((error as { code?: string }).code !== 'EEXIST') throw error
    } finally {
      unlinkSync(draft)
    }
  }
  chmodSync(file, 0o600)
  const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64')
  if (key.length !== 32) {
    throw new MasterKeyError(
      `${file} does not hold a key of 32 bytes in base64. Restore it from a backup: without it, sealed secrets are lost.`,
    )
  }
  return key
}

function idOf(key: Buffer): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 16)
}
