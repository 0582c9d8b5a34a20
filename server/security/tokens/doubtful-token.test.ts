import { expect, it } from 'vitest'
import { openTestSqlite } from '@/db/testing/stores'
import { undoAfterEach } from '@/db/testing/undo'
import { encode, hmac, jwtSecret, openIssuer, parts, tokenSession } from '../testing/issuer'
import { openDoubts } from './doubtful-token'

const later = undoAfterEach()

async function start() {
  const { tokens, clock } = openIssuer(await openTestSqlite(later), { secret: jwtSecret })
  const doubts = openDoubts({ tokens }, { secure: false })
  const about = (headers: Record<string, string>) => doubts(new Headers(headers), clock.now())
  const bearer = (token: string) => about({ authorization: `Bearer ${token}` })
  const { token } = await tokens.sign(tokenSession)
  const [header = {}, claims = {}] = parts(token)
  return { about, bearer, token, header, claims, clock }
}

const forged = 'an access token that the console never signed'
const malformed = 'an access token that is malformed'

it('has no doubts where nothing was brought, or what is good', async () => {
  const { about, bearer, token } = await start()
  expect(await about({})).toBeNull()
  expect(await bearer(token)).toBeNull()
  expect(await about({ authorization: `bearer ${token}` })).toBeNull()
  expect(await about({ cookie: `holdfast-access=${token}` })).toBeNull()
})

it('names a header that holds no bearer token', async () => {
  const { about, token } = await start()
  const reason = 'no bearer token in the header Authorization'
  for (const text of ['Basic YTpi', 'Bearer', 'Bearer a b', `XBearer ${token}`, 'Bearer  a', ''])
    expect(await about({ authorization: text }), text).toBe(reason)
})

it('names an API key as one', async () => {
  const { bearer } = await start()
  const key = `hf_${Buffer.alloc(32, 7).toString('base64url')}`
  expect(await bearer(key)).toBe('an API key that is unknown, revoked or over')
})

it('tells a token of another key from one that ran out', async () => {
  const { about, bearer, header, claims, clock } = await start()
  const now = Math.floor(clock.now() / 1000)
  const by = (exp: unknown) => hmac(header, { ...claims, exp }, 'the secret of somebody else')
  expect(await bearer(by(now + 1))).toBe(forged)
  expect(await about({ cookie: `holdfast-access=${by(now + 1)}` })).toBe(forged)
  expect(await bearer(by(String(now - 1)))).toBe(forged)
  expect(await bearer(by(undefined))).toBe(forged)
  expect(await bearer(by(now))).toBeNull()
  expect(await bearer(by(now - 1))).toBeNull()
})

it('names what is no token at all', async () => {
  const { bearer } = await start()
  const texts = [
    'a',
    'a.b',
    'a..c',
    'a.b.c',
    `a.${encode('null')}.c`,
    `a.${encode('1')}.c`,
    `a.${encode('{')}.c`,
  ]
  for (const text of texts) expect(await bearer(text), text).toBe(malformed)
  expect(await bearer(`a.${encode({})}`)).toBe(malformed)
  expect(await bearer(`a.${encode({})}.`)).toBe(forged)
})
