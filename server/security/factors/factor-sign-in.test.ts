import { eq } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { describeStores } from '@/db/testing/stores'
import { openAuditWriter } from '@/server/audit'
import { openLog } from '@/server/log'
import { openVault, type Vault } from '@/server/vault'
import { openPasswords } from '../passwords/passwords'
import { ana, browser, openAccounts } from '../testing/accounts'
import { totpCode } from '../testing/totp'
import { attemptsPerChallenge, challengeLife } from './challenges'
import { openFactors } from './factors'

const failure = (code: string, more: Record<string, unknown> = {}) =>
  expect.objectContaining({ name: 'HoldfastError', code, ...more })
const wrongCode = failure('WRONG_CODE')
const over = failure('CHALLENGE_OVER')
const tooMany = failure('TOO_MANY_REQUESTS')

describeStores((open) => {
  async function start({ maxLoginAttempts = 1000 } = {}) {
    const store = await open({ connections: 20 })
    const accounts = await openAccounts(store, { maxLoginAttempts })
    const { security, clock, userId } = accounts
    const { session } = await accounts.signIn()
    const app = await accounts.enrol(session)
    const passwordHash = (await store.db.select().from(store.tables.users))[0]?.passwordHash ?? ''

    /** Signs in by password, up to the question for the factor. */
    async function ask(on = security) {
      const result = await on.signIn(ana, browser())
      if (result.state !== 'factor') throw new Error('No factor is asked for.')
      return result.asked
    }
    const verify = (challenge: string, code: string, on = security) =>
      on.verify(challenge, { code }, browser())
    const events = async () => store.db.select().from(store.tables.auditEvents)
    const eventsNamed = async (name: string) => (await events()).filter(({ event }) => event === name)
    /** The factors of this store under another master key. */
    const factorsUnder = (vault: Vault) =>
      openFactors(
        {
          ...{ store, vault, clock, log: openLog('error'), passwords: openPasswords() },
          refusals: openAuditWriter({ store }),
          watch: { ended: () => {} },
        },
        {
          ...{ url: 'http://localhost:3000', issuer: 'Holdfast', window: 2 },
          attempts: { most: 5, windowMs: 900_000, blockMs: 3_600_000 },
        },
      )
    return {
      ...accounts,
      store,
      session,
      app,
      userId,
      passwordHash,
      ask,
      verify,
      events,
      eventsNamed,
      factorsUnder,
    }
  }

  it('asks a user with an app for a code, and signs in by it', async () => {
    const { app, ask, verify, clock } = await start()
    const asked = await ask()
    expect(asked.factors).toEqual(['totp', 'backup-code'])
    expect(asked.passkey).toBeNull()
    expect(asked.expiresAt).toBe(clock.now() + challengeLife)
    const { session } = await verify(asked.challenge, app.code())
    expect(session.methods).toEqual(['pwd', 'otp'])
  })

  it('keeps of a challenge only what does not open it', async () => {
    const { store, ask } = await start()
    const { challenge } = await ask()
    expect(Buffer.from(challenge, 'base64url')).toHaveLength(32)
    expect(JSON.stringify(await store.db.select().from(store.tables.challenges))).not.toContain(challenge)
  })

  it('lets one succeed of 20 who send the same code at once, over two instances', async () => {
    const { app, ask, verify, security, another } = await start()
    const second = another()
    const asked = await Promise.all(
      Array.from({ length: 20 }, (_, each) => ask(each % 2 ? second : security)),
    )
    const code = app.code()
    const tries = await Promise.allSettled(
      asked.map(({ challenge }, each) => verify(challenge, code, each % 2 ? second : security)),
    )
    expect(tries.filter((each) => each.status === 'fulfilled')).toHaveLength(1)
    for (const each of tries) {
      if (each.status === 'rejected') expect(['WRONG_CODE', 'TOO_MANY_REQUESTS']).toContain(each.reason.code)
    }
  })

  it('lets one succeed of 20 who answer the same challenge at once', async () => {
    const { app, ask, verify } = await start()
    const { challenge } = await ask()
    const code = app.code()
    const tries = await Promise.allSettled(Array.from({ length: 20 }, () => verify(challenge, code)))
    expect(tries.filter((each) => each.status === 'fulfilled')).toHaveLength(1)
  })

  it('refuses a code that was used, and the one before it, also after a restart', async () => {
    const { app, ask, verify, clock, another } = await start()
    const before = app.code()
    const code = app.code()
    await verify((await ask()).challenge, code)
    const restarted = another()
    for (const old of [code, before]) {
      const { challenge } = await ask(restarted)
      const used = failure('WRONG_CODE', { message: 'This code was used already.' })
      await expect(verify(challenge, old, restarted)).rejects.toEqual(used)
    }
    clock.pass(30_000)
    await verify((await ask(restarted)).challenge, totpCode(app.secret, clock.now()), restarted)
  })

  it('refuses the code by which the app was enrolled', async () => {
    const { app, ask, verify, clock } = await start()
    const code = totpCode(app.secret, clock.now())
    await expect(verify((await ask()).challenge, code)).rejects.toEqual(wrongCode)
  })

  it('ends a challenge with the fifth wrong code, also for the right one', async () => {
    const { app, ask, verify, clock } = await start()
    const { challenge } = await ask()
    for (let each = 0; each < attemptsPerChallenge; each++) {
      await expect(verify(challenge, '000000')).rejects.toEqual(wrongCode)
    }
    clock.pass(60_000)
    await expect(verify(challenge, app.code())).rejects.toEqual(over)
  })

  it('compares five of 100 codes that come at once', async () => {
    const { ask, verify, eventsNamed } = await start()
    const { challenge } = await ask()
    const tries = await Promise.allSettled(
      Array.from({ length: 100 }, (_, each) => verify(challenge, String(each).padStart(6, '0'))),
    )
    const codes = tries.map((each) => (each.status === 'rejected' ? each.reason.code : 'signed in'))
    expect(codes.filter((code) => code === 'WRONG_CODE')).toHaveLength(attemptsPerChallenge)
    expect(codes.filter((code) => code === 'CHALLENGE_OVER')).toHaveLength(100 - attemptsPerChallenge)
    expect(await eventsNamed('authn_mfa_fail')).toHaveLength(attemptsPerChallenge)
  })

  it('locks the app after twice MAX_LOGIN_ATTEMPTS wrong codes, over all challenges and instances', async () => {
    const { app, ask, verify, another, clock, eventsNamed } = await start({ maxLoginAttempts: 5 })
    for (const { challenge } of [await ask(), await ask()]) {
      for (let each = 0; each < attemptsPerChallenge; each++) {
        await expect(verify(challenge, '000000', another())).rejects.toEqual(wrongCode)
      }
    }
    expect(await eventsNamed('authn_login_lock')).toHaveLength(1)
    await expect(verify((await ask()).challenge, totpCode(app.secret, clock.now()))).rejects.toEqual(tooMany)
    // A backup code cannot be guessed: who is locked out by others still gets in.
    const [backup = ''] = app.enrolled.backupCodes ?? []
    await verify((await ask()).challenge, backup)
    await expect(verify((await ask()).challenge, app.code())).rejects.toEqual(tooMany)
    clock.pass(60_000)
    await verify((await ask()).challenge, app.code())
  })

  it('says by how much a device’s clock is off, behind and ahead', async () => {
    const { app, ask, verify, clock, eventsNamed } = await start()
    clock.pass(900_000)
    const drifts = [
      [-90, 'This code is right for another time: your device’s clock is about 90 s behind.'],
      [300, 'This code is right for another time: your device’s clock is about 300 s ahead.'],
    ] as const
    for (const [drift, message] of drifts) {
      const code = totpCode(app.secret, clock.now() + drift * 1000)
      const refused = failure('WRONG_CODE', { message, details: { drift } })
      await expect(verify((await ask()).challenge, code)).rejects.toEqual(refused)
    }
    const told = (await eventsNamed('authn_mfa_fail')).map(
      ({ after }) => JSON.parse(after ?? '{}').driftSeconds,
    )
    expect(told).toEqual([-90, 300])
    await verify((await ask()).challenge, app.code())
  })

  it('never accepts a code after saying that its time is still to come', async () => {
    const { app, ask, verify, clock } = await start()
    const early = totpCode(app.secret, clock.now() + 300_000)
    await expect(verify((await ask()).challenge, early)).rejects.toEqual(wrongCode)
    clock.pass(300_000)
    await expect(verify((await ask()).challenge, early)).rejects.toEqual(wrongCode)
    await verify((await ask()).challenge, app.code())
  })

  it('gives five minutes, and each challenge counts once', async () => {
    const { app, ask, verify, clock } = await start()
    const { challenge } = await ask()
    clock.pass(challengeLife)
    await expect(verify(challenge, app.code())).rejects.toEqual(over)
    const next = await ask()
    await verify(next.challenge, app.code())
    await expect(verify(next.challenge, app.code())).rejects.toEqual(over)
    for (const other of ['', 'made up', `${next.challenge}=`]) {
      await expect(verify(other, app.code())).rejects.toEqual(over)
    }
  })

  it('lets one succeed of 30 who send the same backup code at once', async () => {
    const { app, ask, verify, security, another, eventsNamed } = await start()
    const second = another()
    const asked = await Promise.all(Array.from({ length: 30 }, () => ask()))
    const [code = ''] = app.enrolled.backupCodes ?? []
    const tries = await Promise.allSettled(
      asked.map(({ challenge }, each) => verify(challenge, code, each % 2 ? second : security)),
    )
    const won = tries.filter((each) => each.status === 'fulfilled')
    expect(won.map(({ value }) => value.session.methods)).toEqual([['pwd', 'backup']])
    for (const each of tries) if (each.status === 'rejected') expect(each.reason).toEqual(wrongCode)
    const [used, ...more] = await eventsNamed('authn_backup_code_used')
    expect(more).toEqual([])
    expect(JSON.parse(used?.after ?? '{}')).toEqual({ remaining: 9 })
  })

  it('accepts a backup code without dashes and in lower case, once, and no made-up one', async () => {
    const { app, ask, verify, another } = await start()
    const [, code = ''] = app.enrolled.backupCodes ?? []
    const typed = ` ${code.replaceAll('-', ' ').toLowerCase()} `
    await verify((await ask()).challenge, typed)
    const restarted = another()
    await expect(verify((await ask(restarted)).challenge, code, restarted)).rejects.toEqual(wrongCode)
    const madeUp = '000000-000000-000000-000000'
    await expect(verify((await ask()).challenge, madeUp)).rejects.toEqual(wrongCode)
  })

  it('accepts no backup code of another user', async () => {
    const { app, addUser, signIn, enrol, security } = await start()
    const ben = await addUser('Ben')
    const other = await enrol((await signIn(ben)).session)
    const [code = ''] = app.enrolled.backupCodes ?? []
    const result = await security.signIn(ben, browser())
    if (result.state !== 'factor') throw new Error('No factor is asked for.')
    await expect(security.verify(result.asked.challenge, { code }, browser())).rejects.toEqual(wrongCode)
    await security.verify(result.asked.challenge, { code: other.code() }, browser())
  })

  it('seals the secret anew after the master key was rotated, at the next right code', async () => {
    const { store, app, factorsUnder, userId, passwordHash } = await start()
    const former = Buffer.alloc(32, 9)
    const sealed = async () => (await store.db.select().from(store.tables.totpFactors))[0]?.secretSealed ?? ''
    expect(await sealed()).not.toContain(app.secret)
    const rotated = openVault(Buffer.alloc(32, 10), [former])
    const both = factorsUnder(rotated)
    const prove = async (on: typeof both) => {
      const asked = await on.ask({ userId, passwordHash })
      return on.prove(asked?.challenge ?? '', { code: app.code() }, browser().by)
    }
    expect(await prove(both)).toEqual({ userId, passwordHash, methods: ['pwd', 'otp'] })
    expect((await sealed()).startsWith(`${rotated.keyId}.`)).toBe(true)
    const alone = factorsUnder(openVault(Buffer.alloc(32, 10)))
    expect((await prove(alone)).methods).toEqual(['pwd', 'otp'])
  })

  it('cannot use a secret that was copied to another user', async () => {
    const { store, addUser, signIn, enrol, security, app, clock } = await start()
    const ben = await addUser('Ben')
    await enrol((await signIn(ben)).session)
    const { totpFactors } = store.tables
    const rows = await store.db.select().from(totpFactors)
    const benApp = rows.find((row) => row.userId === ben.userId)
    const anaApp = rows.find((row) => row.userId !== ben.userId)
    await store.db
      .update(totpFactors)
      .set({ secretSealed: anaApp?.secretSealed ?? '' })
      .where(eq(totpFactors.id, benApp?.id ?? ''))
    const result = await security.signIn(ben, browser())
    if (result.state !== 'factor') throw new Error('No factor is asked for.')
    clock.pass(30_000)
    const code = totpCode(app.secret, clock.now())
    await expect(security.verify(result.asked.challenge, { code }, browser())).rejects.toThrow(
      /unable to authenticate/,
    )
  })

  it('writes no code, secret or challenge into the audit log', async () => {
    const { app, ask, verify, events } = await start()
    const { challenge } = await ask()
    const [backup = ''] = app.enrolled.backupCodes ?? []
    await expect(verify(challenge, '123456')).rejects.toEqual(wrongCode)
    await verify(challenge, backup)
    const second = await ask()
    const code = app.code()
    await verify(second.challenge, code)
    const log = JSON.stringify((await events()).map(({ hash, mac, previousHash, time, ...row }) => row))
    const secrets = [app.secret, code, challenge, second.challenge, ...(app.enrolled.backupCodes ?? [])]
    for (const secret of [...secrets, backup.replaceAll('-', '')]) expect(log).not.toContain(secret)
    expect(log).not.toContain('"123456"')
  })
})
