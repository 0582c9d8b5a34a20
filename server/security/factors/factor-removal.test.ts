import { expect, it } from 'vitest'
import { describeStores } from '@/db/testing/stores'
import { ana, browser, callerOf, openAccounts } from '../testing/accounts'
import { openAuthenticator } from '../testing/authenticator'
import type { SessionInfo } from '../types'

const failure = (code: string) => expect.objectContaining({ name: 'HoldfastError', code })
const stepUpRequired = failure('STEP_UP_REQUIRED')
const factorRequired = failure('FACTOR_REQUIRED')

describeStores((open) => {
  /** Ana, an admin who must have a factor, and Ben, a viewer who need not; both with an app and a passkey. */
  async function start() {
    const store = await open()
    const accounts = await openAccounts(store, { maxLoginAttempts: 1000 })
    const { security, granted } = accounts
    const { factors } = security
    const ben = await accounts.addUser('Ben')
    async function equip(session: SessionInfo) {
      const app = await accounts.enrol(session)
      const use = await granted(session, 'account.beginPasskey', {})
      const { options } = await factors.beginPasskey(session, {}, use)
      const response = openAuthenticator('http://localhost:3000').create(options)
      await factors.addPasskey(session, { name: 'Laptop', response }, use.by)
      const passkeyId = (await factors.state(session)).passkeys[0]?.id ?? ''
      return { session, app, passkeyId }
    }
    const anas = await equip((await accounts.signIn()).session)
    const bens = await equip((await accounts.signIn(ben, browser('bens'))).session)
    const removeTotp = async (of: SessionInfo) =>
      factors.removeTotp(of, await granted(of, 'account.removeTotp', {}))
    const removePasskey = async (of: SessionInfo, id: string) =>
      factors.removePasskey(of, { id }, await granted(of, 'account.removePasskey', { id }))
    const events = async () =>
      (await store.db.select().from(store.tables.auditEvents)).map(({ event, before, after }) => ({
        ...{ event, before: JSON.parse(before ?? 'null'), after: JSON.parse(after ?? 'null') },
      }))
    return { ...accounts, store, factors, ben, anas, bens, removeTotp, removePasskey, events }
  }

  it('takes a step-up for exactly what is removed, used up once', async () => {
    const { factors, anas, bens, granted } = await start()
    const { session, passkeyId } = anas
    const by = callerOf(session)
    const none = { by, grantId: null }
    await expect(factors.removeTotp(session, none)).rejects.toEqual(stepUpRequired)
    await expect(factors.removePasskey(session, { id: passkeyId }, none)).rejects.toEqual(stepUpRequired)
    await expect(factors.regenerateBackupCodes(session, none)).rejects.toEqual(stepUpRequired)
    const forTotp = await granted(session, 'account.removeTotp', {})
    await expect(factors.removePasskey(session, { id: passkeyId }, forTotp)).rejects.toEqual(stepUpRequired)
    const foreign = await granted(bens.session, 'account.removeTotp', {})
    await expect(factors.removeTotp(session, { by, grantId: foreign.grantId })).rejects.toEqual(
      stepUpRequired,
    )
    await factors.removeTotp(session, forTotp)
    await expect(factors.removeTotp(session, forTotp)).rejects.toEqual(stepUpRequired)
  })

  it('removes an app or a passkey, with its event, and the sign-in asks for what is left', async () => {
    const { anas, bens, ben, removeTotp, removePasskey, security, events } = await start()
    await removeTotp(anas.session)
    const asked = await security.signIn(ana, browser())
    expect(asked).toMatchObject({ state: 'factor', asked: { factors: ['passkey', 'backup-code'] } })
    await removePasskey(bens.session, bens.passkeyId)
    const bensAsked = await security.signIn(ben, browser('bens'))
    expect(bensAsked).toMatchObject({ state: 'factor', asked: { factors: ['totp', 'backup-code'] } })
    const removed = (await events()).filter(({ event }) => event === 'authn_factor_removed')
    expect(removed).toMatchObject([
      { before: { factor: 'totp' }, after: { factorsLeft: 1 } },
      { before: { factor: 'passkey', factorId: bens.passkeyId, name: 'Laptop' }, after: { factorsLeft: 1 } },
    ])
  })

  it('keeps the last factor of a role that must have one, also when two are removed at once', async () => {
    const { anas, removeTotp, removePasskey, factors } = await start()
    const { session, passkeyId } = anas
    const both = await Promise.allSettled([removeTotp(session), removePasskey(session, passkeyId)])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    for (const each of both) if (each.status === 'rejected') expect(each.reason).toEqual(factorRequired)
    const { totp, passkeys, backupCodes } = await factors.state(session)
    expect((totp ? 1 : 0) + passkeys.length).toBe(1)
    expect(backupCodes?.remaining).toBe(10)
  })

  it('lets other roles do without, and takes the backup codes with the last factor', async () => {
    const { bens, ben, removeTotp, removePasskey, factors, signIn } = await start()
    await removeTotp(bens.session)
    await removePasskey(bens.session, bens.passkeyId)
    expect(await factors.state(bens.session)).toMatchObject({ totp: null, passkeys: [], backupCodes: null })
    expect((await signIn(ben, browser('bens'))).session.methods).toEqual(['pwd'])
  })

  it('follows the policy of the moment', async () => {
    const { anas, bens, removeTotp, removePasskey, security, granted } = await start()
    const policy = { requiredRoles: ['viewer' as const] }
    await security.setFactorPolicy(policy, await granted(anas.session, 'security.setFactorPolicy', policy))
    await removeTotp(bens.session)
    await expect(removePasskey(bens.session, bens.passkeyId)).rejects.toEqual(factorRequired)
    await removeTotp(anas.session)
    await removePasskey(anas.session, anas.passkeyId)
  })

  it('removes nothing that is not there, or is another user’s', async () => {
    const { anas, bens, removeTotp, removePasskey, factors } = await start()
    await expect(removePasskey(bens.session, anas.passkeyId)).rejects.toEqual(failure('NOT_FOUND'))
    expect((await factors.state(anas.session)).passkeys).toHaveLength(1)
    await removeTotp(bens.session)
    await expect(removeTotp(bens.session)).rejects.toEqual(failure('NOT_FOUND'))
  })

  it('makes new backup codes, and the former ones stop', async () => {
    const { anas, factors, granted, security, events } = await start()
    const { session, app } = anas
    const use = await granted(session, 'account.regenerateBackupCodes', {})
    const { backupCodes } = await factors.regenerateBackupCodes(session, use)
    expect(backupCodes).toHaveLength(10)
    const [former = ''] = app.enrolled.backupCodes ?? []
    expect(backupCodes).not.toContain(former)
    const verify = async (code: string) => {
      const result = await security.signIn(ana, browser())
      if (result.state !== 'factor') throw new Error('No factor is asked for.')
      return security.verify(result.asked.challenge, { code }, browser())
    }
    await expect(verify(former)).rejects.toEqual(failure('WRONG_CODE'))
    await verify(backupCodes[0] ?? '')
    expect((await factors.state(session)).backupCodes).toMatchObject({ remaining: 9, total: 10 })
    const log = JSON.stringify(await events())
    expect(log).toContain('authn_backup_codes_made')
    for (const code of backupCodes) expect(log).not.toContain(code)
  })
})
