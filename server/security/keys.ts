import type { JWK } from 'jose'
import type { Store } from '@/db/store'
import type { Clock } from '@/server/clock'
import { HoldfastError } from '@/server/errors'
import type { Log } from '@/server/log'
import type { Vault } from '@/server/vault'
import { openStoredKeys } from './stored-keys'
import type { SigningKeys } from './types'

/** What signs or verifies a token, and the one algorithm it is used with. */
export interface TokenKey {
  kid: string
  algorithm: 'HS256' | 'ES256'
  key: CryptoKey | Uint8Array
}

export interface Keys {
  /** The key that signs now. Made and sealed in the store at the first call. */
  signing(): Promise<TokenKey>
  /** The key of an id, or null when there is none, or no longer. */
  verifying(kid: string): Promise<TokenKey | null>
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
  const key: TokenKey = { kid, algorithm: 'HS256', key: Buffer.from(secret) }
  return {
    signing: async () => key,
    verifying: async (id) => (id === kid ? key : null),
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
