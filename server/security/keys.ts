import { randomUUID } from 'node:crypto'
import { asc, isNull } from 'drizzle-orm'
import { exportJWK, generateKeyPair, importJWK, type JWK } from 'jose'
import type { Store } from '@/db/store'
import { q, unit } from '@/db/unit'
import { appendAudit, system } from '@/server/audit'
import type { Clock } from '@/server/clock'
import type { Vault } from '@/server/vault'

/** What signs or verifies a token, and the one algorithm it is used with. */
export interface TokenKey {
  kid: string
  algorithm: 'HS256' | 'ES256'
  key: CryptoKey | Uint8Array
}

export interface Keys {
  /** The key that signs now. Made and sealed in the store at the first call. */
  signing(): Promise<TokenKey>
  /** The key of an id, or null. An id never seen before reads the store again, at most every 5 s. */
  verifying(kid: string): Promise<TokenKey | null>
  /** The public keys (RFC 7517). Empty with JWT_SECRET: a shared secret has no public part. */
  jwks(): Promise<{ keys: JWK[] }>
}

const reloadEvery = 5_000

interface MadeKey {
  id: string
  publicJwk: Record<string, unknown>
  privateSealed: string
  now: number
}

const makeSigningKey = unit('signing-key.make', function* (tx, { now, ...key }: MadeKey) {
  const { signingKeys } = tx.tables
  yield* q(tx.db.insert(signingKeys).values({ ...key, algorithm: 'ES256', createdAt: now }))
  yield* appendAudit(tx, {
    ...system,
    time: now,
    event: 'sensitive_create',
    outcome: 'success',
    target: `signing-key:${key.id}`,
  })
})

/** HS256 with JWT_SECRET; otherwise ES256 with key pairs that stand in the store, their private half sealed. */
export function openKeys(deps: { store: Store; vault: Vault; clock: Clock }, secret?: string): Keys {
  return secret ? sharedSecret(deps.vault, secret) : storedKeys(deps)
}

function sharedSecret(vault: Vault, secret: string): Keys {
  const kid = vault.mac('jwt-secret-id', secret).subarray(0, 8).toString('hex')
  const key: TokenKey = { kid, algorithm: 'HS256', key: Buffer.from(secret) }
  return {
    signing: async () => key,
    verifying: async (id) => (id === kid ? key : null),
    jwks: async () => ({ keys: [] }),
  }
}

interface Loaded {
  at: number
  byId: Map<string, TokenKey>
  signing: TokenKey
  jwks: JWK[]
}

function storedKeys({ store, vault, clock }: { store: Store; vault: Vault; clock: Clock }): Keys {
  let loaded: Promise<Loaded> | undefined
  const read = () => {
    const { signingKeys } = store.tables
    return store.db
      .select()
      .from(signingKeys)
      .where(isNull(signingKeys.retiredAt))
      .orderBy(asc(signingKeys.createdAt), asc(signingKeys.id))
  }

  async function load(): Promise<Loaded> {
    let rows = await read()
    if (rows.length === 0) {
      await store.run(makeSigningKey, await makePair(vault, clock.now()))
      rows = await read()
    }
    const byId = new Map<string, TokenKey>()
    let signing: TokenKey | undefined
    for (const row of rows) {
      byId.set(row.id, { kid: row.id, algorithm: 'ES256', key: await importKey(row.publicJwk) })
      const jwk = JSON.parse(vault.open(row.privateSealed, sealContext(row.id))) as JWK
      signing = { kid: row.id, algorithm: 'ES256', key: await importKey(jwk) }
    }
    if (!signing) throw new Error('There is no signing key.')
    const jwks = rows.map((row) => ({ ...row.publicJwk, kid: row.id, alg: 'ES256', use: 'sig' }) as JWK)
    return { at: clock.now(), byId, signing, jwks }
  }

  const current = () => {
    loaded ??= load().catch((error: unknown) => {
      loaded = undefined
      throw error
    })
    return loaded
  }

  return {
    signing: async () => (await current()).signing,
    async verifying(kid) {
      const seen = await current()
      const known = seen.byId.get(kid)
      if (known || clock.now() - seen.at < reloadEvery) return known ?? null
      loaded = undefined
      return (await current()).byId.get(kid) ?? null
    },
    jwks: async () => ({ keys: (await current()).jwks }),
  }
}

async function makePair(vault: Vault, now: number): Promise<MadeKey> {
  const id = randomUUID()
  const pair = await generateKeyPair('ES256', { extractable: true })
  const privateJwk = JSON.stringify(await exportJWK(pair.privateKey))
  return {
    id,
    publicJwk: { ...(await exportJWK(pair.publicKey)) },
    privateSealed: vault.seal(privateJwk, sealContext(id)),
    now,
  }
}

const sealContext = (id: string) => `signing-key|${id}`

async function importKey(jwk: JWK): Promise<CryptoKey> {
  return (await importJWK(jwk, 'ES256')) as CryptoKey
}
