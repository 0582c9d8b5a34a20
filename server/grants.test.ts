import { expect, it } from 'vitest'
import { describeStores } from '@/db/testing/stores'
import { q, unit } from '@/db/unit'
import { type GrantUse, grantLife, inputHash, useGrant } from './grants'
import { ana, browser, openAccounts } from './security/testing/accounts'

/** An action as every guarded one is built: the grant is used up with the change, in one unit. */
const act = unit('test.act', function* (tx, { grant, fail }: { grant: GrantUse; fail?: boolean }) {
  yield* useGrant(tx, grant)
  yield* q(tx.db.insert(tx.tables.meta).values({ key: `done-${Math.random()}`, value: 'done' }))
  if (fail) throw new Error('the action failed')
})

const stepUpRequired = expect.objectContaining({ name: 'HoldfastError', code: 'STEP_UP_REQUIRED' })
const wrongCredentials = expect.objectContaining({ name: 'HoldfastError', code: 'WRONG_CREDENTIALS' })

describeStores((open) => {
  async function start() {
    const store = await open()
    const accounts = await openAccounts(store)
    const { session } = await accounts.security.signIn(ana, browser())
    const input = { runId: 'run-1', options: { b: 2, a: [1, 2] } }
    const ask = { action: 'migration.start', input, password: ana.password }
    const make = async () => (await accounts.security.stepUp(session, ask, browser().by)).grantId
    const use = (over: Partial<GrantUse>): GrantUse => ({
      ...{ grantId: null, sessionId: session.sessionId, action: ask.action, input },
      ...{ now: accounts.clock.now(), ...over },
    })
    const done = async () =>
      (await store.db.select().from(store.tables.meta)).filter((row) => row.value === 'done').length
    return { ...accounts, store, session, ask, make, use, done }
  }

  it('needs the right password', async () => {
    const { security, session, ask, store } = await start()
    const wrong = { ...ask, password: 'a wrong long password' }
    await expect(security.stepUp(session, wrong, browser().by)).rejects.toEqual(wrongCredentials)
    expect(await store.db.select().from(store.tables.stepUpGrants)).toEqual([])
    const events = await store.db.select().from(store.tables.auditEvents)
    expect(events.at(-1)?.event).toBe('authn_step_up_fail')
  })

  it('lets its action happen once, of 20 parallel tries', async () => {
    const { store, make, use, done } = await start()
    const grantId = await make()
    const tries = await Promise.allSettled(
      Array.from({ length: 20 }, () => store.run(act, { grant: use({ grantId }) })),
    )
    expect(tries.filter((each) => each.status === 'fulfilled')).toHaveLength(1)
    for (const each of tries) if (each.status === 'rejected') expect(each.reason).toEqual(stepUpRequired)
    expect(await done()).toBe(1)
  })

  it('is bound to session, action and input, whose order of fields does not matter', async () => {
    const { store, security, make, use, done } = await start()
    const other = await security.signIn(ana, browser('other'))
    const grantId = await make()
    for (const wrong of [
      { grantId: null },
      { grantId: 'made-up' },
      { grantId, sessionId: other.session.sessionId },
      { grantId, action: 'migration.switch-over' },
      { grantId, input: { runId: 'run-2', options: { b: 2, a: [1, 2] } } },
      { grantId, input: { runId: 'run-1', options: { b: 2, a: [2, 1] } } },
      { grantId, input: null },
    ]) {
      await expect(store.run(act, { grant: use(wrong) })).rejects.toEqual(stepUpRequired)
    }
    expect(await done()).toBe(0)
    const reordered = { options: { a: [1, 2], b: 2 }, runId: 'run-1', absent: undefined }
    await store.run(act, { grant: use({ grantId, input: reordered }) })
    expect(await done()).toBe(1)
  })

  it('works for five minutes', async () => {
    const { store, make, use, clock, done } = await start()
    const grantId = await make()
    clock.pass(grantLife)
    await expect(store.run(act, { grant: use({ grantId }) })).rejects.toEqual(stepUpRequired)
    expect(await done()).toBe(0)
  })

  it('is not used up by an action that failed', async () => {
    const { store, make, use, done } = await start()
    const grantId = await make()
    await expect(store.run(act, { grant: use({ grantId }), fail: true })).rejects.toThrow('the action failed')
    await store.run(act, { grant: use({ grantId }) })
    expect(await done()).toBe(1)
  })
})

it('hashes inputs apart that differ, and together that do not', () => {
  expect(inputHash({ a: 1, b: undefined })).toBe(inputHash({ a: 1 }))
  expect(inputHash(undefined)).toBe(inputHash(null))
  const different = [{ a: 1 }, { a: '1' }, { a: [1] }, { a: null }, {}, [], null, 'a', '']
  expect(new Set(different.map(inputHash)).size).toBe(different.length)
})
