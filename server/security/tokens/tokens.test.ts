import { afterEach, describe, expect, it } from 'vitest'
import { describeStores, openTestSqlite } from '@/db/testing/stores'
import { hmac, jwtSecret, openIssuer, parts, tokenSession } from '../testing/issuer'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

const withSecret = async () =>
  openIssuer(await openTestSqlite((step) => undo.push(step)), { secret: jwtSecret })

describe('access tokens by JWT_SECRET', () => {
  it('say who, in which session and generation, for whom and until when', async () => {
    const { tokens, clock, keys } = await withSecret()
    const { token, expiresAt } = await tokens.sign(tokenSession)
    expect(expiresAt).toBe(clock.now() + 900_000)
    const [header, claims] = parts(token)
    expect(header).toEqual({ alg: 'HS256', typ: 'at+jwt', kid: expect.any(String) })
    expect(claims).toMatchObject({
      iss: 'http://localhost:3000',
      aud: 'holdfast',
      sub: 'user-1',
      sid: 'session-1.1',
    })
    expect(await tokens.verify(token)).toEqual({ ...tokenSession, tokenId: claims.jti, expiresAt })
    const later = { ...tokenSession, generation: 120 }
    expect(await tokens.verify((await tokens.sign(later)).token)).toMatchObject(later)
    expect(await keys.jwks()).toEqual({ keys: [] })
    expect(await keys.list()).toEqual([])
  })

  it('are accepted when they are rebuilt byte for byte, so that the attacks fail for what they change', async () => {
    const { tokens } = await withSecret()
    const [header, claims] = parts((await tokens.sign(tokenSession)).token)
    const rebuilt = hmac(header, claims, jwtSecret)
    expect(await tokens.verify(rebuilt)).toMatchObject(tokenSession)
  })

  it('are good for five seconds more on either side, and no longer, also when they were seen before', async () => {
    const { tokens, clock } = await withSecret()
    const { token } = await tokens.sign(tokenSession)
    const good = async () => (await tokens.verify(token)) !== null
    expect(await good()).toBe(true)
    clock.pass(-5_000)
    expect(await good()).toBe(true)
    clock.pass(5_000 + 900_000 + 4_000)
    expect(await good()).toBe(true)
    clock.pass(1_000)
    expect(await good()).toBe(false)
  })

  it('live no longer than the console lets them, whatever they say, also when they were seen before', async () => {
    const { tokens, clock } = await withSecret()
    const [header, claims] = parts((await tokens.sign(tokenSession)).token)
    const token = hmac(header, { ...claims, exp: Number(claims.exp) + 9_000 }, jwtSecret)
    expect(await tokens.verify(token)).not.toBeNull()
    clock.pass(900_000 + 7_000)
    expect(await tokens.verify(token)).toBeNull()
  })

  it('cannot be rotated by the console, which says how it is done', async () => {
    const { keys } = await withSecret()
    const use = { by: {} as never, grantId: 'any' }
    await expect(keys.rotate({ revokeOld: true }, use)).rejects.toMatchObject({
      code: 'CONFLICT',
      remedy: expect.stringContaining('JWT_SECRET'),
    })
  })
})

describeStores((open) => {
  it('are signed by a key pair whose private half stands sealed in the store', async () => {
    const store = await open()
    const { tokens, keys } = openIssuer(store)
    const { token } = await tokens.sign(tokenSession)
    expect(parts(token)[0]).toMatchObject({ alg: 'ES256', typ: 'at+jwt' })
    expect(await tokens.verify(token)).toMatchObject(tokenSession)
    const [row] = await store.db.select().from(store.tables.signingKeys)
    expect(JSON.stringify(row?.publicJwk)).not.toContain('"d"')
    expect(row?.privateSealed).not.toContain('"kty"')
    const jwks = await keys.jwks()
    expect(jwks.keys).toMatchObject([{ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig', kid: row?.id }])
    expect(jwks.keys[0]).not.toHaveProperty('d')
  })

  it('of one instance are good at another, and after a restart', async () => {
    const store = await open()
    const first = openIssuer(store)
    const { token } = await first.tokens.sign(tokenSession)
    const other = openIssuer(store, { clock: first.clock })
    await other.tokens.sign(tokenSession)
    expect(await other.tokens.verify(token)).toMatchObject(tokenSession)
    first.clock.pass(60_000)
    expect(await openIssuer(store, { clock: first.clock }).tokens.verify(token)).toMatchObject(tokenSession)
  })

  it('end with their time, also when they were seen before', async () => {
    const { tokens, clock } = openIssuer(await open())
    const seen = await tokens.sign(tokenSession)
    const unseen = await tokens.sign(tokenSession)
    clock.pass(900_000 + 4_000)
    expect(await tokens.verify(seen.token)).not.toBeNull()
    expect(await tokens.verify(seen.token)).not.toBeNull()
    clock.pass(2_000)
    expect(await tokens.verify(seen.token)).toBeNull()
    expect(await tokens.verify(unseen.token)).toBeNull()
    clock.pass(-3_000)
    expect(await tokens.verify(seen.token)).not.toBeNull()
  })

  it('of a clock that is far ahead are not believed, also when they were seen before', async () => {
    const { tokens, clock } = openIssuer(await open())
    const { token } = await tokens.sign(tokenSession)
    expect(await tokens.verify(token)).not.toBeNull()
    clock.pass(-6_000)
    expect(await tokens.verify(token)).toBeNull()
    expect(await tokens.verify(token)).toBeNull()
  })

  it('are refused once their key counts no more, also when they were seen before', async () => {
    const store = await open()
    const { tokens, clock } = openIssuer(store)
    const { token } = await tokens.sign(tokenSession)
    expect(await tokens.verify(token)).not.toBeNull()
    await store.db.update(store.tables.signingKeys).set({ retiredAt: clock.now() })
    clock.pass(30_000)
    expect(await tokens.verify(token)).toBeNull()
    expect(await tokens.verify(token)).toBeNull()
  })
})
