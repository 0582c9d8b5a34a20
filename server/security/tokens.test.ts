import { createHmac, generateKeyPairSync, sign as signRaw } from 'node:crypto'
import { exportSPKI, importJWK } from 'jose'
import { describe, expect, it } from 'vitest'
import type { Store } from '@/db/store'
import { describeStores } from '@/db/testing/stores'
import { openKeys } from './keys'
import { testClock, testVault } from './testing/accounts'
import { openTokens } from './tokens'

const issuer = 'http://localhost:3000'
const secret = 'a secret of at least thirty-two bytes, really'
const session = { userId: 'user-1', sessionId: 'session-1' }

type Json = Record<string, unknown>
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

function hmac(header: Json, claims: Json, key: string | Buffer, hash = 'sha256') {
  const body = `${encode(header)}.${encode(claims)}`
  return `${body}.${createHmac(hash, key).update(body).digest('base64url')}`
}

const parts = (token: string) =>
  token
    .split('.')
    .slice(0, 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString())) as [Json, Json]

function withSecret() {
  const clock = testClock()
  const keys = openKeys({ store: {} as Store, vault: testVault, clock }, secret)
  return { clock, keys, tokens: openTokens({ keys, clock }, { issuer, accessMs: 900_000 }) }
}

describe('access tokens by JWT_SECRET', () => {
  it('say who, in which session, for whom and until when', async () => {
    const { tokens, clock, keys } = withSecret()
    const { token, expiresAt } = await tokens.sign(session)
    expect(expiresAt).toBe(clock.now() + 900_000)
    const [header, claims] = parts(token)
    expect(header).toMatchObject({ alg: 'HS256', typ: 'at+jwt' })
    expect(claims).toMatchObject({ iss: issuer, aud: 'holdfast', sub: 'user-1', sid: 'session-1' })
    expect(await tokens.verify(token)).toMatchObject({ ...session, tokenId: claims.jti, expiresAt })
    expect(await keys.jwks()).toEqual({ keys: [] })
  })

  it('end with their time', async () => {
    const { tokens, clock } = withSecret()
    const { token } = await tokens.sign(session)
    clock.pass(900_000 + 4_000)
    expect(await tokens.verify(token)).not.toBeNull()
    clock.pass(2_000)
    expect(await tokens.verify(token)).toBeNull()
  })

  it('are believed only as we write them', async () => {
    const { tokens, clock } = withSecret()
    const { token } = await tokens.sign(session)
    const [header, claims] = parts(token)
    expect(await tokens.verify(hmac(header, claims, secret))).not.toBeNull()
    const now = Math.floor(clock.now() / 1000)
    const forged: Record<string, string> = {
      'alg none': `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`,
      'alg None': `${encode({ ...header, alg: 'None' })}.${encode(claims)}.AA`,
      'no alg': hmac({ typ: header.typ, kid: header.kid }, claims, secret),
      HS512: hmac({ ...header, alg: 'HS512' }, claims, secret, 'sha512'),
      'HS384 named, HS256 signed': hmac({ ...header, alg: 'HS384' }, claims, secret),
      'blank key': hmac(header, claims, ''),
      'another key': hmac(header, claims, `${secret}!`),
      'own jwk': hmac({ ...header, kid: undefined, jwk: { kty: 'oct', k: 'AAAA' } }, claims, 'x'),
      'kid of the prototype': hmac({ ...header, kid: '__proto__' }, claims, secret),
      'kid of a method': hmac({ ...header, kid: 'constructor' }, claims, secret),
      'kid that climbs': hmac({ ...header, kid: '../../../../dev/null' }, claims, ''),
      'kid with SQL': hmac({ ...header, kid: "x' UNION SELECT 'a" }, claims, 'a'),
      'kid that is a number': hmac({ ...header, kid: 1 }, claims, secret),
      'no kid': hmac({ alg: 'HS256', typ: 'at+jwt' }, claims, secret),
      'typ JWT': hmac({ ...header, typ: 'JWT' }, claims, secret),
      'no typ': hmac({ alg: 'HS256', kid: header.kid }, claims, secret),
      'crit unknown': hmac({ ...header, crit: ['b64'], b64: false }, claims, secret),
      'another audience': hmac(header, { ...claims, aud: 'other' }, secret),
      'another issuer': hmac(header, { ...claims, iss: 'http://evil.example' }, secret),
      expired: hmac(header, { ...claims, exp: now - 60 }, secret),
      'iat in the future': hmac(header, { ...claims, iat: now + 60, exp: now + 120 }, secret),
      'not yet valid': hmac(header, { ...claims, nbf: now + 60 }, secret),
      'too old, whatever exp says': hmac(header, { ...claims, iat: now - 1000, exp: now + 9e6 }, secret),
      'exp as text': hmac(header, { ...claims, exp: 'never' }, secret),
      'sub as an object': hmac(header, { ...claims, sub: { $ne: null } }, secret),
      'claims of another token': `${encode(header)}.${encode({ ...claims, sub: 'root' })}.${token.split('.')[2]}`,
      'a fourth part': `${token}.AAAA`,
      'padded base64': `${token}=`,
      nonsense: 'a.b.c',
      empty: '',
    }
    for (const claim of ['iss', 'aud', 'sub', 'sid', 'jti', 'iat', 'exp']) {
      forged[`without ${claim}`] = hmac(header, { ...claims, [claim]: undefined }, secret)
    }
    const accepted: string[] = []
    for (const [name, each] of Object.entries(forged)) {
      if ((await tokens.verify(each)) !== null) accepted.push(name)
    }
    expect(accepted).toEqual([])
  })

  it('are refused when respelled: the same bytes in another base64', async () => {
    const { tokens } = withSecret()
    const { token } = await tokens.sign(session)
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const last = alphabet.indexOf(token.at(-1) ?? '')
    const respelled = token.slice(0, -1) + alphabet[last + 1]
    const bytes = (text: string) => Buffer.from(text.split('.')[2] ?? '', 'base64url')
    expect(bytes(respelled)).toEqual(bytes(token))
    expect(await tokens.verify(respelled)).toBeNull()
  })
})

describeStores((open) => {
  const start = async () => {
    const store = await open()
    const clock = testClock()
    const instance = () => {
      const keys = openKeys({ store, vault: testVault, clock })
      return { keys, tokens: openTokens({ keys, clock }, { issuer, accessMs: 900_000 }) }
    }
    return { store, clock, instance }
  }

  it('are signed by a key pair whose private half stands sealed in the store', async () => {
    const { store, instance } = await start()
    const { tokens, keys } = instance()
    const { token } = await tokens.sign(session)
    expect(parts(token)[0]).toMatchObject({ alg: 'ES256', typ: 'at+jwt' })
    expect(await tokens.verify(token)).toMatchObject(session)
    const [row] = await store.db.select().from(store.tables.signingKeys)
    expect(JSON.stringify(row?.publicJwk)).not.toContain('"d"')
    expect(row?.privateSealed).not.toContain('kty')
    const jwks = await keys.jwks()
    expect(jwks.keys).toMatchObject([{ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig', kid: row?.id }])
    expect(jwks.keys[0]).not.toHaveProperty('d')
  })

  it('of one instance are good at another, and after a restart', async () => {
    const { instance, clock } = await start()
    const { token } = await instance().tokens.sign(session)
    const other = instance()
    await other.tokens.sign(session)
    expect(await other.tokens.verify(token)).toMatchObject(session)
    clock.pass(60_000)
    expect(await instance().tokens.verify(token)).toMatchObject(session)
  })

  it('are not believed when the public key was used as an HMAC secret, or another pair signed', async () => {
    const { instance } = await start()
    const { tokens, keys } = instance()
    const { token } = await tokens.sign(session)
    const [header, claims] = parts(token)
    const jwk = (await keys.jwks()).keys[0] ?? {}
    const pem = await exportSPKI((await importJWK(jwk, 'ES256')) as CryptoKey)
    expect(await tokens.verify(hmac({ ...header, alg: 'HS256' }, claims, pem))).toBeNull()
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const body = `${encode(header)}.${encode(claims)}`
    const signature = signRaw('sha256', Buffer.from(body), { key: privateKey, dsaEncoding: 'ieee-p1363' })
    expect(await tokens.verify(`${body}.${signature.toString('base64url')}`)).toBeNull()
    expect(await tokens.verify(`${body}.${Buffer.alloc(64).toString('base64url')}`)).toBeNull()
  })
})
