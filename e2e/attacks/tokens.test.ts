import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { credentials } from '../admin'
import { bearer, program, setUpByProgram } from '../program'
import { type RunningConsole, startConsole } from '../server'
import { openForger, part, read, signingInput } from './forger'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

const forger = openForger()
afterAll(() => forger.close())

/** How the console answers to a token. */
const statusOf = async (console: RunningConsole, token: string) =>
  (await program(console).query('auth.me', bearer(token))).status

describe('a token for a console that signs by ES256', () => {
  let console: RunningConsole
  let token: string
  let genuine: ReturnType<typeof read>
  beforeAll(async () => {
    console = await startConsole()
    token = (await setUpByProgram(console)).accessToken
    genuine = read(token)
  })
  afterAll(() => console?.stop())

  const refused = async (forged: string) => expect(await statusOf(console, forged)).toBe(401)

  it('works as it was signed', async () => {
    expect(await statusOf(console, token)).toBe(200)
    expect(genuine.header).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) })
  })

  it.each(['none', 'None', 'NONE', 'nOnE', ''])('is refused with the algorithm "%s"', async (alg) => {
    const { claims, header } = genuine
    await refused(`${signingInput({ ...header, alg }, claims)}.`)
    await refused(signingInput({ ...header, alg }, claims))
    await refused(`${signingInput({ ...header, alg }, claims)}.${genuine.signature}`)
  })

  it('is refused with the public key as a shared secret, in every spelling', async () => {
    const { body } = await program(console).get('/.well-known/jwks.json')
    const jwk = body.keys.find((each: { kid: string }) => each.kid === genuine.header.kid)
    const pem = forger.pemOf(jwk)
    for (const secret of [pem, pem.trimEnd(), JSON.stringify(jwk), jwk.x, '']) {
      for (const [alg, digest] of [
        ['HS256', 'sha256'],
        ['HS512', 'sha512'],
      ] as const) {
        await refused(forger.hmac({ ...genuine.header, alg }, genuine.claims, Buffer.from(secret), digest))
      }
    }
  })

  it('is refused when it brings its own key, and no key is fetched from where it says', async () => {
    let asked = 0
    const elsewhere = createServer((_request, response) => {
      asked++
      response.end('{}')
    })
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
    const { key, jwk, certificate } = forger.keyPair()
    const url = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/jwks.json`
    const x5c = [certificate.replace(/-----[^-]+-----|\s/g, '')]
    const { header, claims } = genuine
    const withoutKid = { alg: header.alg, typ: header.typ }
    for (const own of [{ jwk }, { jku: url }, { x5u: url }, { x5c }, {}]) {
      await refused(forger.ecdsa({ ...header, ...own }, claims, key))
      await refused(forger.ecdsa({ ...withoutKid, ...own }, claims, key))
    }
    expect(asked).toBe(0)
    elsewhere.close()
  })

  const kids = [
    '../../../../dev/null',
    '/dev/null',
    "' OR '1'='1",
    "x' UNION SELECT 'AA' --",
    '__proto__',
    'constructor',
    'toString',
    '\u0000',
    'a'.repeat(10_000),
  ]
  it.each(kids.map((kid) => [kid.slice(0, 30), kid]))(
    'is refused with the key id %j',
    async (_start, kid) => {
      for (const secret of ['', 'AA', '\u0000']) {
        await refused(
          forger.hmac({ ...genuine.header, alg: 'HS256', kid }, genuine.claims, Buffer.from(secret)),
        )
      }
      await refused(forger.ecdsa({ ...genuine.header, kid }, genuine.claims, forger.keyPair().key))
    },
  )

  it('is refused with a key id that is no text', async () => {
    for (const kid of [1, null, true, [], {}, ['a'], { toString: 'x' }]) {
      await refused(forger.ecdsa({ ...genuine.header, kid }, genuine.claims, forger.keyPair().key))
    }
  })

  it('is refused when anything in it was changed', async () => {
    const [header = '', claims = '', signature = ''] = token.split('.')
    const other = part({ ...genuine.claims, sub: '00000000-0000-4000-8000-000000000000' })
    await refused(`${header}.${other}.${signature}`)
    await refused(`${part({ ...genuine.header, typ: 'JWT' })}.${claims}.${signature}`)
    await refused(`${header}.${claims}.${Buffer.alloc(64).toString('base64url')}`)
    await refused(`${header}.${claims}.${signature.slice(0, -2)}`)
    await refused(`${header}.${claims}.${signature}.${signature}`)
    await refused(`${header}.${claims}`)
  })

  it('never makes the console fail, whatever it is', async () => {
    for (const odd of [
      '.',
      '..',
      '...',
      'a.b.c',
      '{}',
      '%00',
      'null',
      'undefined',
      '\u00ff'.repeat(9),
      '-',
    ]) {
      await refused(odd)
    }
    await refused(
      `${part({ ...genuine.header, crit: ['exp'] })}.${part(genuine.claims)}.${genuine.signature}`,
    )
    await refused(`${part({ ...genuine.header, b64: false, crit: ['b64'] })}.x.${genuine.signature}`)
  })

  it('is refused in any other spelling of the same bytes', async () => {
    const [header = '', claims = '', signature = ''] = token.split('.')
    const last = signature.at(-1) ?? ''
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    // 64 bytes leave four bits of the last character unused: fifteen other characters decode to the same.
    const twins = [...alphabet].filter(
      (letter) =>
        letter !== last &&
        Buffer.from(signature.slice(0, -1) + letter, 'base64url').equals(Buffer.from(signature, 'base64url')),
    )
    expect(twins).toHaveLength(15)
    for (const twin of twins) await refused(`${header}.${claims}.${signature.slice(0, -1)}${twin}`)
    await refused(`${header}.${claims}.${signature}==`)
    await refused(`${header}=.${claims}.${signature}`)
    const plain = Buffer.from(signature, 'base64url').toString('base64').replace(/=+$/, '')
    if (plain !== signature) await refused(`${header}.${claims}.${plain}`)
  })

  it('cannot stand for a refresh token or a challenge, nor they for it', async () => {
    const { post } = program(console)
    const { body } = await post('/api/auth/login', credentials)
    const { accessToken, refreshToken } = body.tokens
    await refused(refreshToken)
    // Too long to be one: refused before anybody looks for it.
    expect((await post('/api/auth/refresh', { refreshToken: accessToken })).status).toBe(400)
    expect((await post('/api/auth/verify', { challenge: accessToken, code: '123456' })).status).toBe(400)
    expect((await post('/api/auth/verify', { challenge: refreshToken, code: '123456' })).status).toBe(401)
    // Nobody took the attempts for a theft.
    expect(await statusOf(console, accessToken)).toBe(200)
  })

  it('of a session that ended is refused at once, in every spelling', async () => {
    const { post } = program(console)
    const { body } = await post('/api/auth/login', credentials)
    const ended = body.tokens.accessToken as string
    expect(await statusOf(console, ended)).toBe(200)
    expect((await post('/api/auth/logout', {}, bearer(ended))).status).toBe(204)
    await refused(ended)
    await refused(`${ended}=`)
    await refused(` ${ended} `)
  })
})

describe('a token for a console with JWT_SECRET', () => {
  const secret = 'a-shared-key-of-this-test-with-more-than-32-bytes'
  let console: RunningConsole
  let genuine: ReturnType<typeof read>
  beforeAll(async () => {
    console = await startConsole({ env: { JWT_SECRET: secret } })
    genuine = read((await setUpByProgram(console)).accessToken)
  })
  afterAll(() => console?.stop())

  const forged = (header: object, claims: object, key = secret, digest = 'sha256') =>
    forger.hmac(
      { ...genuine.header, ...header },
      JSON.parse(JSON.stringify({ ...genuine.claims, ...claims })),
      Buffer.from(key),
      digest,
    )
  const now = () => Math.floor(Date.now() / 1000)

  it('is accepted from the forger who knows the secret, which shows that the forger works', async () => {
    expect(await statusOf(console, forged({}, {}))).toBe(200)
    expect(await statusOf(console, forged({}, { jti: 'another', iat: now(), exp: now() + 60 }))).toBe(200)
  })

  it('has no public keys', async () => {
    expect((await program(console).get('/.well-known/jwks.json')).body).toEqual({ keys: [] })
  })

  const day = 86_400
  it.each<[string, () => object]>([
    ['is over', () => ({ iat: now() - 1000, exp: now() - 30 })],
    ['has no end', () => ({ exp: undefined })],
    ['ends in text', () => ({ exp: String(now() + 60) })],
    ['begins later', () => ({ nbf: now() + 600 })],
    ['was made later', () => ({ iat: now() + 600, exp: now() + 900 })],
    ['has no beginning', () => ({ iat: undefined })],
    ['is older than tokens get', () => ({ iat: now() - day, exp: now() + day })],
    ['lives far too long', () => ({ iat: now() - 3600, exp: now() + 365 * day })],
    ['is for another audience', () => ({ aud: 'another' })],
    ['has no audience', () => ({ aud: undefined })],
    ['is of another issuer', () => ({ iss: 'http://evil.example' })],
    ['has no issuer', () => ({ iss: undefined })],
    ['has no subject', () => ({ sub: undefined })],
    ['names another user', () => ({ sub: '00000000-0000-4000-8000-000000000000' })],
    ['has no session', () => ({ sid: undefined })],
    ['names another session', () => ({ sid: '00000000-0000-4000-8000-000000000000.1' })],
    ['names another generation', () => ({ sid: genuine.claims.sid.replace(/\.\d+$/, '.99') })],
    ['names the session without a generation', () => ({ sid: genuine.claims.sid.replace(/\.\d+$/, '') })],
    ['has a session that is no text', () => ({ sid: { $ne: '' } })],
    ['has no id', () => ({ jti: undefined })],
  ])('is refused when it %s', async (_what, claims) => {
    expect(await statusOf(console, forged({}, claims()))).toBe(401)
  })

  it.each<[string, object, string?]>([
    ['another type', { typ: 'JWT' }],
    ['no type', { typ: undefined }],
    ['a longer hash', { alg: 'HS512' }, 'sha512'],
    ['a hash between', { alg: 'HS384' }, 'sha384'],
    ['another key id', { kid: 'another' }],
    ['no key id', { kid: undefined }],
    ['a critical extension', { crit: ['exp'] }],
  ])('is refused with %s', async (_what, header, digest) => {
    expect(await statusOf(console, forged(header, {}, secret, digest))).toBe(401)
  })

  it('is refused under another secret, and under none', async () => {
    expect(await statusOf(console, forged({}, {}, `${secret}x`))).toBe(401)
    expect(await statusOf(console, forged({}, {}, ''))).toBe(401)
  })
})
