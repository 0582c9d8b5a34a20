import { expect, it } from 'vitest'
import { describeStores } from '@/db/testing/stores'
import { q, unit } from '@/db/unit'
import { type GrantUse, grantLife, inputHash, useGrant } from './grants'
import { ana, browser, callerOf, openAccounts } from './security/testing/accounts'

/** An action as every guarded one is built: the grant is used up with the change, in one unit. */
const act = unit('test.act', function* (tx, { grant, fail }: { grant: GrantUse; fail?: boolean }) {
  yield* useGrant(tx, grant)
  yield* q(tx.db.insert(tx.tables.meta).values({ key: `done-${Math.random()}`, value: 'done' }))
  if (fail) throw new Error('the action failed')
})

const stepUpRequired = expect.objectContaining({ name: 'HoldfastError', code: 'STEP_UP_REQUIRED' })
const wrongCode = expect.objectContaining({ name: 'HoldfastError', code: 'WRONG_CODE' })

describeStores((open) => {
  async function start() {
    const store = await open()
    const accounts = await openAccounts(store)
    const { session } = await accounts.signIn()
    const app = await accounts.enrol(session)
    const input = { runId: 'run-1', options: { b: 2, a: [1, 2] } }
    const ask = { action: 'migration.start', input }
    const make = async () => (await app.stepUp(ask.action, input)).grantId
    const use = (over: Partial<GrantUse>): GrantUse => ({
      ...{ grantId: null, by: callerOf(session), action: ask.action, input },
      ...{ now: accounts.clock.now(), ...over },
    })
    const done = async () =>
      (await store.db.select().from(store.tables.meta)).filter((row) => row.value === 'done').length
    return { ...accounts, store, session, app, ask, make, use, done }
  }

  it('needs the right code', async () => {
    const { security, session, ask, store } = await start()
    const wrong = { ...ask, proof: { code: '000000' } }
    await expect(security.stepUp(session, wrong, callerOf(session))).rejects.toEqual(wrongCode)
    expect(await store.db.select().from(store.tables.stepUpGrants)).toEqual([])
    const events = await store.db.select().from(store.tables.auditEvents)
    expect(events.at(-1)?.event).toBe('authn_step_up_fail')
  })

  it('says how to get one', async () => {
    const { store, use } = await start()
    const remedy = expect.stringMatching(/\/api\/auth\/step-up.*Holdfast-Step-Up/)
    await expect(store.run(act, { grant: use({}) })).rejects.toEqual(
      expect.objectContaining({ code: 'STEP_UP_REQUIRED', remedy, details: { action: 'migration.start' } }),
    )
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
    const { store, security, app, make, use, done } = await start()
    const asked = await security.signIn(ana, browser('other'))
    if (asked.state !== 'factor') throw new Error('No factor is asked for.')
    const { challenge } = asked.asked
    const other = await security.verify(challenge, { code: app.code() }, browser('other'))
    const grantId = await make()
    for (const wrong of [
      { grantId: null },
      { grantId: 'made-up' },
      { grantId, by: callerOf(other.session) },
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
