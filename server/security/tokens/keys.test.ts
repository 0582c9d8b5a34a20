import { expect, it } from 'vitest'
import { describeStores } from '@/db/testing/stores'
import { openAccounts } from '../testing/accounts'
import { code, eventsOf } from '../testing/events'
import { accessMs, openIssuer, parts, tokenSession } from '../testing/issuer'

const minute = 60_000
const day = 86_400_000
const kidOf = (token: string) => String(parts(token)[0].kid)

describeStores((open) => {
  async function start() {
    const store = await open()
    const first = openIssuer(store)
    const { clock } = first
    const second = openIssuer(store, { clock })
    const sign = async ({ tokens } = first) => (await tokens.sign(tokenSession)).token
    return { store, clock, first, second, sign }
  }

  it('are made once by instances that begin together', async () => {
    const { store, first, second, sign } = await start()
    const tokens = await Promise.all([sign(first), sign(second), sign(first), sign(second)])
    expect(new Set(tokens.map(kidOf)).size).toBe(1)
    expect(await store.db.select().from(store.tables.signingKeys)).toHaveLength(1)
  })

  it('are rotated after 30 days: published ten minutes before, one key though two instances ask', async () => {
    const { clock, first, second, sign } = await start()
    const old = kidOf(await sign())
    clock.pass(30 * day - 1)
    await first.keys.rotateIfDue(clock.now())
    expect(await first.keys.list()).toHaveLength(1)
    clock.pass(1)
    const now = clock.now()
    await Promise.all([first, second, first, second].map(({ keys }) => keys.rotateIfDue(now)))
    const [next, signing] = await first.keys.list()
    expect(signing).toMatchObject({ id: old, state: 'signing' })
    expect(next).toMatchObject({ state: 'next', activeFrom: now + 10 * minute })
    expect((await first.keys.list()).length).toBe(2)
    expect((await second.keys.jwks()).keys.map(({ kid }) => kid)).toEqual([next?.id, old])

    clock.pass(10 * minute - 1)
    expect(kidOf(await sign(first))).toBe(old)
    const last = await sign(second)
    clock.pass(1)
    expect(kidOf(await sign(first))).toBe(next?.id)
    expect(kidOf(await sign(second))).toBe(next?.id)
    expect(await first.tokens.verify(last)).not.toBeNull()
    await first.keys.rotateIfDue(clock.now())
    expect(await first.keys.list()).toHaveLength(2)
  })

  it('retire when their last token is over, and not before', async () => {
    const { store, clock, first, second, sign } = await start()
    const old = kidOf(await sign())
    clock.pass(30 * day)
    await first.keys.rotateIfDue(clock.now())
    clock.pass(10 * minute)
    const last = clock.now()
    const retire = async () => {
      await Promise.all([first, second].map(({ keys }) => keys.retire(clock.now())))
      return (await first.keys.list()).map((entry) => entry.id)
    }
    clock.pass(accessMs)
    expect(await retire()).toContain(old)
    clock.pass(minute)
    expect(await retire()).not.toContain(old)
    expect(clock.now() - last).toBe(accessMs + minute)
    expect((await second.keys.jwks()).keys).toHaveLength(1)
    expect(await retire()).toHaveLength(1)
    const rows = await store.db.select().from(store.tables.signingKeys)
    expect(rows.find((row) => row.id === old)?.privateSealed).toBe('')
    const retired = (await eventsOf(store)).filter((row) => row.event === 'sensitive_delete')
    expect(retired).toMatchObject([{ target: `signing-key:${old}`, reason: 'rotated', actor: 'system' }])
  })

  it('are rotated by an admin with a grant, and not twice while the next one waits', async () => {
    const store = await open()
    const { security, signIn, granted, clock } = await openAccounts(store)
    const { session } = await signIn()
    const input = { revokeOld: false }
    const rotate = async () =>
      security.signingKeys.rotate(input, await granted(session, 'security.rotateSigningKeys', input))
    const none = { ...(await granted(session, 'other', input)), grantId: null }
    await expect(security.signingKeys.rotate(input, none)).rejects.toEqual(code('STEP_UP_REQUIRED'))
    await rotate()
    expect((await security.signingKeys.list()).map((entry) => entry.state)).toEqual(['next', 'signing'])
    await expect(rotate()).rejects.toEqual(code('CONFLICT'))
    clock.pass(10 * minute)
    expect((await security.signingKeys.list()).map((entry) => entry.state)).toEqual(['signing', 'verifying'])
    expect((await eventsOf(store)).at(-1)).toMatchObject({ event: 'sensitive_create', actor: session.email })
  })

  it('that are revoked count no more: here at once, elsewhere within half a minute', async () => {
    const { store, clock, first, second } = await start()
    const run = await openAccounts(store)
    const { session } = await run.signIn()
    const old = [await first.tokens.sign(tokenSession), await second.tokens.sign(tokenSession)]
    for (const { token } of old) {
      expect(await first.tokens.verify(token)).not.toBeNull()
      expect(await second.tokens.verify(token)).not.toBeNull()
    }
    const input = { revokeOld: true }
    const use = await run.granted(session, 'security.rotateSigningKeys', input)
    await first.keys.rotate(input, use)
    for (const { token } of old) expect(await first.tokens.verify(token)).toBeNull()
    const { token } = await first.tokens.sign(tokenSession)
    expect(kidOf(token)).not.toBe(kidOf(old[0]?.token ?? ''))
    clock.pass(5_000)
    expect(await second.tokens.verify(token)).toMatchObject(tokenSession)
    for (const each of old) expect(await second.tokens.verify(each.token)).toBeNull()
    expect((await first.keys.jwks()).keys).toHaveLength(1)
  })

  it('of an id that nobody made cost one reading in five seconds', async () => {
    const { store, clock, first } = await start()
    await first.tokens.sign(tokenSession)
    let reads = 0
    const { db } = store
    const select = db.select.bind(db)
    await store.exclusively(async (handle) => ({
      ...handle,
      db: new Proxy(db, {
        get(target, name) {
          if (name !== 'select') return Reflect.get(target, name)
          reads++
          return select
        },
      }),
    }))
    for (let n = 0; n < 20; n++) expect(await first.keys.verifying(`unknown-${n}`)).toBeNull()
    expect(reads).toBe(0)
    clock.pass(5_000)
    for (let n = 0; n < 20; n++) expect(await first.keys.verifying(`unknown-${n}`)).toBeNull()
    expect(reads).toBe(1)
  })
})
