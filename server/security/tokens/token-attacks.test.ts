import { createHmac, generateKeyPairSync } from 'node:crypto'
import { exportSPKI, importJWK } from 'jose'
import { afterEach, describe, expect, it } from 'vitest'
import { openTestSqlite } from '@/db/testing/stores'
import {
  ecdsa,
  encode,
  genuineKey,
  hmac,
  type Json,
  jwtSecret,
  openIssuer,
  parts,
  tokenSession,
} from '../testing/issuer'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

type Sign = (header: Json | string, claims: Json | string) => string
type Verify = (token: string) => Promise<unknown>

async function acceptedOf(verify: Verify, forged: Record<string, string>): Promise<string[]> {
  const accepted: string[] = []
  for (const [name, token] of Object.entries(forged)) {
    if ((await verify(token)) !== null) accepted.push(name)
  }
  return accepted
}

/** Headers and claims that must not count although the genuine key signed them. */
function wronglySigned(sign: Sign, header: Json, claims: Json, now: number): Record<string, string> {
  const text = JSON.stringify(claims)
  const forged: Record<string, string> = {
    'no alg': sign({ typ: header.typ, kid: header.kid }, claims),
    'alg none, yet signed': sign({ ...header, alg: 'none' }, claims),
    'HS384 named': sign({ ...header, alg: 'HS384' }, claims),
    'ES384 named': sign({ ...header, alg: 'ES384' }, claims),
    'alg in lower case': sign({ ...header, alg: String(header.alg).toLowerCase() }, claims),
    'alg as a list': sign({ ...header, alg: [header.alg] }, claims),
    'its own jwk': sign({ ...header, jwk: { kty: 'oct', k: 'AAAA' } }, claims),
    'a jku': sign({ ...header, jku: 'https://evil.example/jwks.json' }, claims),
    'an x5u': sign({ ...header, x5u: 'https://evil.example/cert.pem' }, claims),
    'an x5c': sign({ ...header, x5c: ['MIIB'] }, claims),
    'kid of the prototype': sign(`{"alg":"${header.alg}","typ":"at+jwt","kid":"__proto__"}`, claims),
    'kid of a method': sign({ ...header, kid: 'constructor' }, claims),
    'kid that climbs': sign({ ...header, kid: '../../../../dev/null' }, claims),
    'kid with SQL': sign({ ...header, kid: "x' UNION SELECT 'a" }, claims),
    'kid that is a number': sign({ ...header, kid: 1 }, claims),
    'kid that is empty': sign({ ...header, kid: '' }, claims),
    'no kid': sign({ alg: header.alg, typ: header.typ }, claims),
    'typ JWT': sign({ ...header, typ: 'JWT' }, claims),
    'typ in upper case': sign({ ...header, typ: 'AT+JWT' }, claims),
    'typ of a refresh token': sign({ ...header, typ: 'rt+jwt' }, claims),
    'no typ': sign({ alg: header.alg, kid: header.kid }, claims),
    'crit that is unknown': sign({ ...header, crit: ['exp'] }, claims),
    'crit that is empty': sign({ ...header, crit: [] }, claims),
    'b64 false': sign({ ...header, crit: ['b64'], b64: false }, claims),
    'b64 false, not critical': sign({ ...header, b64: false }, claims),
    'another audience': sign(header, { ...claims, aud: 'other' }),
    'an empty list of audiences': sign(header, { ...claims, aud: [] }),
    'another issuer': sign(header, { ...claims, iss: 'http://evil.example' }),
    'a list of issuers': sign(header, { ...claims, iss: [claims.iss] }),
    expired: sign(header, { ...claims, exp: now - 60 }),
    'iat in the future': sign(header, { ...claims, iat: now + 60, exp: now + 120 }),
    'not yet valid': sign(header, { ...claims, nbf: now + 60 }),
    'too old, whatever exp says': sign(header, { ...claims, iat: now - 1000, exp: now + 9e6 }),
    'exp as text': sign(header, { ...claims, exp: String(now + 60) }),
    'exp as null': sign(header, { ...claims, exp: null }),
    'sub as an object': sign(header, { ...claims, sub: { $ne: null } }),
    'sid without a generation': sign(header, { ...claims, sid: 'session-1' }),
    'sid with a generation of text': sign(header, { ...claims, sid: 'session-1.x' }),
    'sid with generation 0': sign(header, { ...claims, sid: 'session-1.0' }),
    'sid with generation 01': sign(header, { ...claims, sid: 'session-1.01' }),
    'sid with a generation and more': sign(header, { ...claims, sid: 'session-1.1x' }),
    'sid with something before it': sign(header, { ...claims, sid: '../session-1.1' }),
    'sid as a list': sign(header, { ...claims, sid: ['session-1.1'] }),
    'a claim that stands twice': sign(header, `${text.slice(0, -1)},"sub":"root"}`),
    'alg that stands twice': sign(`{"alg":"none",${JSON.stringify(header).slice(1)}`, claims),
    'spaces in the header': sign(JSON.stringify(header, null, 1), claims),
    'spaces in the claims': sign(header, ` ${text}`),
    'claims that are a list': sign(header, `[${text}]`),
    'claims that are no JSON': sign(header, text.slice(1)),
    'claims that are null': sign(header, 'null'),
    'header that is a list': sign(`[${JSON.stringify(header)}]`, claims),
    'a mark of byte order': sign(header, `\uFEFF${text}`),
    'very long': sign(header, { ...claims, more: 'x'.repeat(5_000) }),
  }
  for (const claim of ['iss', 'aud', 'sub', 'sid', 'jti', 'iat', 'exp']) {
    forged[`without ${claim}`] = sign(header, { ...claims, [claim]: undefined })
    forged[`${claim} of the prototype`] = sign(
      header,
      JSON.stringify({ ...claims, [claim]: undefined }).replace(
        '{',
        `{"__proto__":{"${claim}":${JSON.stringify(claims[claim])}},`,
      ),
    )
  }
  return forged
}

/** Spellings of a good token that are not the one that we write. */
function respelled(token: string): Record<string, string> {
  const [header = '', claims = '', signature = ''] = token.split('.')
  const pad = (text: string) => text + '='.repeat((4 - (text.length % 4)) % 4)
  return {
    'a signature without its end': token.slice(0, -1),
    'a signature that is cut': token.slice(0, -12),
    'a signature that is longer': `${token}AAAA`,
    'a signature with one bit changed': `${header}.${claims}.${flipFirst(signature)}`,
    'no signature': `${header}.${claims}.`,
    'no signature and no dot': `${header}.${claims}`,
    'no claims': `${header}..${signature}`,
    'no header': `.${claims}.${signature}`,
    'a fourth part': `${token}.AAAA`,
    'a fifth part, as JWE': `${token}.AAAA.AAAA`,
    'other trailing bits': token.slice(0, -1) + beside(token.at(-1) ?? ''),
    'padding after the signature': `${header}.${claims}.${pad(signature)}`,
    'padding everywhere': [header, claims, signature].map((part) => `${part}=`).join('.'),
    'standard base64': token.replaceAll('-', '+').replaceAll('_', '/'),
    'a space before': ` ${token}`,
    'a line break after': `${token}\n`,
    'a line break inside': `${header}.\n${claims}.${signature}`,
    'a NUL inside': `${header}\0.${claims}.${signature}`,
    'claims of another': `${header}.${encode({ sub: 'root' })}.${signature}`,
    'flattened JSON': JSON.stringify({ protected: header, payload: claims, signature }),
    'general JSON': JSON.stringify({ payload: claims, signatures: [{ protected: header, signature }] }),
    'general JSON without signatures': JSON.stringify({ payload: claims, signatures: [] }),
    nonsense: 'a.b.c',
    empty: '',
    dots: '..',
  }
}

/** A token that standard base64 spells in another way: most are, but not all. */
async function respellable({ tokens }: ReturnType<typeof openIssuer>): Promise<string> {
  for (;;) {
    const { token } = await tokens.sign(tokenSession)
    if (/[-_]/.test(token)) return token
  }
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** The next character, which differs in the last bits alone: they belong to no byte. */
const beside = (character: string) => alphabet[alphabet.indexOf(character) ^ 1] ?? ''
const flipFirst = (part: string) => alphabet[alphabet.indexOf(part[0] ?? '') ^ 32] + part.slice(1)

describe('of a token by JWT_SECRET', () => {
  async function start() {
    const issuer = openIssuer(await openTestSqlite((step) => undo.push(step)), { secret: jwtSecret })
    const token = await respellable(issuer)
    const [header, claims] = parts(token)
    return { ...issuer, token, header, claims, now: Math.floor(issuer.clock.now() / 1000) }
  }

  it('nothing but our own header and claims counts, whoever signed', async () => {
    const { tokens, header, claims, now } = await start()
    const sign: Sign = (head, body) => hmac(head, body, jwtSecret)
    expect(await tokens.verify(sign(header, claims))).toMatchObject(tokenSession)
    expect(await acceptedOf(tokens.verify, wronglySigned(sign, header, claims, now))).toEqual([])
  })

  it('no other spelling counts, before or after it was seen', async () => {
    const { tokens, token } = await start()
    expect(await acceptedOf(tokens.verify, respelled(token))).toEqual([])
    expect(await tokens.verify(token)).not.toBeNull()
    expect(await acceptedOf(tokens.verify, respelled(token))).toEqual([])
  })

  it('no other key and no other algorithm counts', async () => {
    const { tokens, header, claims } = await start()
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const body = `${encode(header)}.${encode(claims)}`
    const cut = createHmac('sha256', jwtSecret).update(body).digest().subarray(0, 16)
    expect(
      await acceptedOf(tokens.verify, {
        'alg none': `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`,
        'alg NoNe': `${encode({ ...header, alg: 'NoNe' })}.${encode(claims)}.AA`,
        'HS512 for HS256': hmac({ ...header, alg: 'HS512' }, claims, jwtSecret, 'sha512'),
        'HS512 under the name of HS256': hmac(header, claims, jwtSecret, 'sha512'),
        'a blank key': hmac(header, claims, ''),
        'a key of zeros': hmac(header, claims, Buffer.alloc(32)),
        'the kid as key': hmac(header, claims, String(header.kid)),
        'another key': hmac(header, claims, `${jwtSecret}!`),
        'a MAC that is cut to 128 bits': `${body}.${cut.toString('base64url')}`,
        'ES256 by a key of the attacker': ecdsa({ ...header, alg: 'ES256' }, claims, privateKey),
      }),
    ).toEqual([])
  })

  it('a refresh token or a challenge is none', async () => {
    const { tokens } = await start()
    const opaque = Buffer.alloc(32, 7).toString('base64url')
    expect(await tokens.verify(opaque)).toBeNull()
    expect(await tokens.verify(`${opaque}.${opaque}.${opaque}`)).toBeNull()
    expect(await tokens.verify(`hf_${opaque}`)).toBeNull()
  })
})

describe('of a token by a key pair', () => {
  async function start() {
    const store = await openTestSqlite((step) => undo.push(step))
    const issuer = openIssuer(store)
    const token = await respellable(issuer)
    const [header, claims] = parts(token)
    const key = await genuineKey(store)
    return { ...issuer, key, token, header, claims, now: Math.floor(issuer.clock.now() / 1000) }
  }

  it('nothing but our own header and claims counts, whoever signed', async () => {
    const { tokens, key, header, claims, now } = await start()
    const sign: Sign = (head, body) => ecdsa(head, body, key)
    expect(await tokens.verify(sign(header, claims))).toMatchObject(tokenSession)
    expect(await acceptedOf(tokens.verify, wronglySigned(sign, header, claims, now))).toEqual([])
  })

  it('no other spelling counts, before or after it was seen', async () => {
    const { tokens, token } = await start()
    expect(await acceptedOf(tokens.verify, respelled(token))).toEqual([])
    expect(await tokens.verify(token)).not.toBeNull()
    expect(await acceptedOf(tokens.verify, respelled(token))).toEqual([])
  })

  it('no signature counts that only looks like one', async () => {
    const { tokens, keys, key, header, claims, token } = await start()
    const body = token.slice(0, token.lastIndexOf('.'))
    const good = Buffer.from(token.split('.')[2] ?? '', 'base64url')
    const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex')
    const zero = Buffer.alloc(32)
    const one = Buffer.concat([Buffer.alloc(31), Buffer.of(1)])
    const with64 = (...halves: Buffer[]) => `${body}.${Buffer.concat(halves).toString('base64url')}`
    const [r, s] = [good.subarray(0, 32), good.subarray(32)]
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey
    const jwk = (await keys.jwks()).keys[0] ?? {}
    const pem = await exportSPKI((await importJWK(jwk, 'ES256')) as CryptoKey)
    const own = other.export({ format: 'jwk' })
    expect(
      await acceptedOf(tokens.verify, {
        'alg none': `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`,
        'r and s zero (CVE-2022-21449)': with64(zero, zero),
        'r zero': with64(zero, s),
        's zero': with64(r, zero),
        'r and s one': with64(one, one),
        'r is the order': with64(order, s),
        's is the order': with64(r, order),
        'halves swapped': with64(s, r),
        'one byte short': with64(r, s.subarray(0, 31)),
        'one byte long': with64(r, s, Buffer.of(0)),
        'wrapped in zeros': with64(Buffer.of(0), r, Buffer.of(0), s),
        empty: `${body}.`,
        DER: ecdsa(header, claims, key, 'der'),
        'another pair': ecdsa(header, claims, other),
        'another pair, brought along': ecdsa(
          { ...header, jwk: { kty: own.kty, crv: own.crv, x: own.x, y: own.y } },
          claims,
          other,
        ),
        'another curve': ecdsa({ ...header, alg: 'ES384' }, claims, p384),
        'the public key as PEM for HS256': hmac({ ...header, alg: 'HS256' }, claims, pem),
        'the public key as PEM without its end for HS256': hmac(
          { ...header, alg: 'HS256' },
          claims,
          pem.trim(),
        ),
        'the public key as JWK for HS256': hmac({ ...header, alg: 'HS256' }, claims, JSON.stringify(jwk)),
        'the public key for HS256 under the name of ES256': hmac(header, claims, pem),
        'a blank key for HS256': hmac({ ...header, alg: 'HS256' }, claims, ''),
      }),
    ).toEqual([])
  })
})
