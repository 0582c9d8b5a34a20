import { expect, it } from 'vitest'
import { describeStores } from '@/db/testing/stores'
import { system } from '@/server/audit'
import { ana, openAccounts } from '@/server/security/testing/accounts'
import { totpCode } from '@/server/security/testing/totp'
import { visitor } from './testing/visitor'

describeStores((open) => {
  async function start(kind: 'browser' | 'program' = 'browser') {
    const accounts = await openAccounts(await open())
    const { security, clock } = accounts
    const credentials = { email: ana.email, password: ana.password }
    const { call, get, jar } = visitor(security, clock.now, kind)

    /** Signs in and enrols an app, as the page does. Answers what makes the next code, and the backup codes. */
    async function enrol() {
      await call('auth.signIn', credentials)
      const { factorId, secret } = (await call('account.beginTotp', {})).data
      const code = () => {
        clock.pass(30_000)
        return totpCode(secret, clock.now())
      }
      const { data } = await call('account.activateTotp', { factorId, code: code() })
      return { code, backupCodes: data.backupCodes as string[] }
    }
    return { ...accounts, credentials, call, get, jar, enrol }
  }

  it('lets an admin without a factor reach the own account alone, until one is enrolled', async () => {
    const { call, get, enrol, credentials } = await start()
    await call('auth.signIn', credentials)
    expect((await get('auth.me')).data).toMatchObject({ needs: ['factor'] })
    for (const path of ['security.users', 'security.overview', 'security.sessions']) {
      const { status, error } = await get(path)
      expect([path, status, error?.data.code]).toEqual([path, 403, 'FACTOR_REQUIRED'])
    }
    expect((await get('account.factors')).data).toMatchObject({ required: true, totp: null })
    await enrol()
    expect((await get('auth.me')).data).toMatchObject({ needs: [], methods: ['pwd', 'otp'] })
    expect((await get('security.users')).status).toBe(200)
  })

  it('lets a user who must change the password do nothing else', async () => {
    const { security, call, get, credentials, addUser } = await start()
    const vic = await addUser('Vic')
    await call('auth.signIn', { email: vic.email, password: vic.password })
    await security.users.requirePasswordChange(vic, system)
    const { status, error } = await get('security.overview')
    expect([status, error?.data.code]).toEqual([403, 'PASSWORD_CHANGE_REQUIRED'])
    const change = { current: vic.password, password: 'seven grey boats in the fog' }
    const wrong = await call('account.changePassword', { ...change, current: credentials.email })
    expect([wrong.status, wrong.error?.data.code]).toEqual([401, 'WRONG_CREDENTIALS'])
    expect((await call('account.changePassword', change)).status).toBe(200)
    expect((await get('security.overview')).status).toBe(200)
  })

  it('asks for the factor after the password, gives no cookie before it, and signs in by it', async () => {
    const { call, get, jar, enrol, credentials, clock } = await start()
    const { code, backupCodes } = await enrol()
    await call('auth.signOut', {})
    const asked = await call('auth.signIn', credentials)
    expect(asked.data).toMatchObject({
      ...{ state: 'factor', challenge: expect.stringMatching(/^[\w-]{43}$/) },
      ...{ factors: ['totp', 'backup-code'], passkey: null, now: clock.now() },
    })
    expect(asked.setCookies).toEqual([])
    expect([...jar.keys()]).toEqual(['holdfast-device'])
    expect((await get('auth.me')).error?.data.code).toBe('UNAUTHENTICATED')

    const { challenge } = asked.data
    const wrong = await call('auth.verify', { challenge, code: '000000' })
    expect([wrong.status, wrong.error?.data.code]).toEqual([401, 'WRONG_CODE'])
    const right = await call('auth.verify', { challenge, code: code() })
    expect(right.data).toMatchObject({ session: { methods: ['pwd', 'otp'], needs: [] }, tokens: null })
    expect((await get('auth.me')).status).toBe(200)
    expect((await call('auth.verify', { challenge, code: code() })).error?.data.code).toBe('CHALLENGE_OVER')

    const next = (await call('auth.signIn', credentials)).data.challenge
    const backup = await call('auth.verify', { challenge: next, code: backupCodes[0] })
    expect(backup.data).toMatchObject({ session: { methods: ['pwd', 'backup'] } })
  })

  it('answers a grant with the next access token, by cookie or body, and the former one is worthless', async () => {
    const { call, get, jar, enrol, addUser } = await start()
    const { code } = await enrol()
    const vic = await addUser('Vic')
    const input = { userId: vic.userId, role: 'operator' }
    const without = await call('security.setRole', input)
    expect([without.status, without.error?.data.code]).toEqual([403, 'STEP_UP_REQUIRED'])
    const former = jar.get('holdfast-access') ?? ''
    const refresh = jar.get('holdfast-refresh')

    const wrong = await call('auth.stepUp', { action: 'security.setRole', input, code: '000000' })
    expect(wrong.error?.data.code).toBe('WRONG_CODE')
    expect(jar.get('holdfast-access')).toBe(former)
    const { data } = await call('auth.stepUp', { action: 'security.setRole', input, code: code() })
    expect(data).toMatchObject({ grantId: expect.any(String), tokens: null })
    expect(jar.get('holdfast-access')).not.toBe(former)
    expect(jar.get('holdfast-refresh')).toBe(refresh)
    const old = await call('auth.me', undefined, { cookie: `holdfast-access=${former}` }, 'GET')
    expect(old.error?.data.code).toBe('UNAUTHENTICATED')

    const grant = { 'holdfast-step-up': data.grantId }
    const other = await call('security.setRole', { ...input, role: 'admin' }, grant)
    expect(other.error?.data.code).toBe('STEP_UP_REQUIRED')
    expect((await call('security.setRole', input, grant)).status).toBe(200)
    expect((await call('security.setRole', input, grant)).error?.data.code).toBe('STEP_UP_REQUIRED')
    const { data: users } = await get('security.users')
    expect(users.find(({ id }: { id: string }) => id === vic.userId)).toMatchObject({ role: 'operator' })
  })

  it('gives a program its next access token in the body', async () => {
    const { security, clock, enrol } = await start()
    const { code } = await enrol()
    const program = visitor(security, clock.now, 'program')
    const { challenge } = (await program.call('auth.signIn', { email: ana.email, password: ana.password }))
      .data
    const { tokens } = (await program.call('auth.verify', { challenge, code: code() })).data
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
    const stepUp = { action: 'security.setFactorPolicy', input: { requiredRoles: [] }, code: code() }
    const { data, setCookies } = await program.call('auth.stepUp', stepUp, bearer(tokens.accessToken))
    expect(setCookies).toEqual([])
    expect(data.tokens.accessToken).toEqual(expect.any(String))
    expect(data.tokens.refreshToken).toBeUndefined()
    const policy = (token: string) =>
      program.call('security.setFactorPolicy', stepUp.input, {
        ...bearer(token),
        'holdfast-step-up': data.grantId,
      })
    expect((await policy(tokens.accessToken)).error?.data.code).toBe('UNAUTHENTICATED')
    expect((await policy(data.tokens.accessToken)).status).toBe(200)
  })
})
