import { createHmac, createPrivateKey, type KeyObject, sign as signRaw } from 'node:crypto'
import { isNull } from 'drizzle-orm'
import type { Store } from '@/db/store'
import { openLog } from '@/server/log'
import { openKeys } from '../tokens/keys'
import { openTokens } from '../tokens/tokens'
import { testClock, testVault } from './accounts'

export const issuer = 'http://localhost:3000'
export const jwtSecret = 'a secret of at least thirty-two bytes, really'
export const tokenSession = { userId: 'user-1', sessionId: 'session-1', generation: 1 }
export const accessMs = 900_000

export type Json = Record<string, unknown>

/** Keys and tokens of one instance; with `secret` HS256, otherwise on the keys of the store. */
export function openIssuer(
  store: Store,
  { clock = testClock(), secret = undefined as string | undefined } = {},
) {
  const keys = openKeys({ store, vault: testVault, clock, log: openLog('error') }, { secret, accessMs })
  return { clock, keys, tokens: openTokens({ keys, clock }, { issuer, accessMs }) }
}

/** The header and the claims of a token, without believing them. */
export const parts = (token: string) =>
  token
    .split('.')
    .slice(0, 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString())) as [Json, Json]

export const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** A token by HMAC. Header and claims as values, or as the text that is to be signed. */
export function hmac(header: Json | string, claims: Json | string, key: string | Buffer, hash = 'sha256') {
  const body = `${encode(header)}.${encode(claims)}`
  return `${body}.${createHmac(hash, key).update(body).digest('base64url')}`
}

/** A token by ECDSA with SHA-256, its signature as JWS wants it, or as DER. */
export function ecdsa(
  header: Json | string,
  claims: Json | string,
  key: KeyObject,
  dsaEncoding: 'ieee-p1363' | 'der' = 'ieee-p1363',
) {
  const body = `${encode(header)}.${encode(claims)}`
  return `${body}.${signRaw('sha256', Buffer.from(body), { key, dsaEncoding }).toString('base64url')}`
}

/** The private key by which the store's tokens are signed: what no attacker has, and what makes his job hardest. */
export async function genuineKey(store: Store): Promise<KeyObject> {
  const { signingKeys } = store.tables
  const [row] = await store.db.select().from(signingKeys).where(isNull(signingKeys.retiredAt))
  const jwk = testVault.open(row?.privateSealed ?? '', `signing-key|${row?.id}`)
  return createPrivateKey({ key: JSON.parse(jwk), format: 'jwk' })
}
