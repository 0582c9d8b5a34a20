import type { JWK } from 'jose'
import type { Store } from '@/db/store'
import type { Clock } from '@/server/clock'
import { HoldfastError } from '@/server/errors'
import type { Log } from '@/server/log'
import type { Vault } from '@/server/vault'
import type { SigningKeys } from '../types'
import { hs256, type VerifySignature } from './signatures'
import { openStoredKeys } from './stored-keys'

interface KeyName {
  kid: string
  /** The one algorithm that the key is used with. */
  algorithm: 'HS256' | 'ES256'
}

/** What signs a token. */
export interface SigningKey extends KeyName {
  key: CryptoKey | Uint8Array
}

/** What a token's signature is checked by. */
export interface VerifyingKey extends KeyName {
  verify: VerifySignature
}

export interface Keys {
  /** The key that signs now. Made and sealed in the store at the first call. */
  signing(): Promise<SigningKey>
  /** The key of an id, or null when there is none, or no longer. */
  verifying(kid: string): Promise<VerifyingKey | null>
  /** The public keys (RFC 7517). Empty with JWT_SECRET: a shared secret has no public part. */
  jwks(): Promise<{ keys: JWK[] }>
}

/** What the console does with its keys by itself. */
export interface KeyCare {
  /** Publishes the next key when the newest has signed for 30 days. */
  rotateIfDue(now: number): Promise<void>
  /** Retires the keys whose last token is over. */
  retire(now: number): Promise<void>
}

interface Deps {
  store: Store
  vault: Vault
  clock: Clock
  log: Log
}

/** HS256 with JWT_SECRET; otherwise ES256 with key pairs that stand in the store, their private half sealed. */
export function openKeys(
  deps: Deps,
  { secret, accessMs }: { secret?: string; accessMs: number },
): Keys & SigningKeys & KeyCare {
  return secret ? sharedSecret(deps.vault, secret) : openStoredKeys(deps, { accessMs })
}

function sharedSecret(vault: Vault, secret: string): Keys & SigningKeys & KeyCare {
  const kid = vault.mac('jwt-secret-id', secret).subarray(0, 8).toString('hex')
  const name = { kid, algorithm: 'HS256' } as const
  const signing: SigningKey = { ...name, key: Buffer.from(secret) }
  const verifying: VerifyingKey = { ...name, verify: hs256(Buffer.from(secret)) }
  return {
    signing: async () => signing,
    verifying: async (id) => (id === kid ? verifying : null),
    jwks: async () => ({ keys: [] }),
    list: async () => [],
    async rotate() {
      throw new HoldfastError('CONFLICT', {
        message: 'Tokens are signed by JWT_SECRET, which the console cannot change.',
        remedy:
          'Give every instance another JWT_SECRET and restart it: access tokens stop to count, and sessions go on by their refresh tokens.',
      })
    },
    rotateIfDue: async () => {},
    retire: async () => {},
  }
}
