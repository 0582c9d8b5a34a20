import { randomUUID } from 'node:crypto'
import { eq, isNull } from 'drizzle-orm'
import { expect, it } from 'vitest'
import type { Store } from '@/db/store'
import { describeStores } from '@/db/testing/stores'
import { openLog } from '@/server/log'
import { openCleanup } from './cleanup'
import { openAccounts, testVault } from './testing/accounts'
import { eventsOf } from './testing/events'
import { accessMs } from './testing/issuer'
import { openKeys } from './tokens/keys'

const day = 86_400_000
const hour = 3_600_000

describeStores((open, dialect) => {
  async function start() {
    const store = await open()
    const run = await openAccounts(store, { maxLoginAttempts: 1_000, maxSessionsPerUser: 1_000 })
    const { clock } = run
    const instance = () => {
      const deps = { store, vault: testVault, clock, log: openLog('error') }
      return openCleanup({ ...deps, keys: openKeys(deps, { accessMs }) }, { loginBlockMs: 2 * day })
    }
    return { ...run, store, cleanup: instance(), instance }
  }

  /** Sessions of one user that were used last at `at`, each with a refresh token. */
  async function addSessions(
    store: Store,
    userId: string,
    count: number,
    at: number,
    endedAt: number | null,
  ) {
    const { sessions, refreshTokens } = store.tables
    for (let from = 0; from < count; from += 200) {
      const ids = Array.from({ length: Math.min(200, count - from) }, () => randomUUID())
      await store.db.insert(sessions).values(
        ids.map((id) => ({
          ...{ id, userId, methods: ['pwd'], device: 'Firefox', deviceHash: 'x', address: '::1' },
          ...{ createdAt: at, lastUsedAt: at, idleExpiresAt: at + day, expiresAt: at + 30 * day, endedAt },
        })),
      )
      await store.db.insert(refreshTokens).values(
        ids.map((id) => ({
          ...{ id: randomUUID(), sessionId: id, hash: id, salt: 'x' },
          ...{ status: 'active' as const, createdAt: at },
        })),
      )
    }
  }

  it('removes ended sessions after 30 days, in batches, by two instances at once, and no other', async () => {
    const { store, cleanup, instance, clock, userId } = await start()
    const now = clock.now()
    await addSessions(store, userId, 1_201, now - 40 * day, now - 30 * day)
    await addSessions(store, userId, 3, now - 40 * day, now - 30 * day + 1)
    await addSessions(store, userId, 2, now, null)
    const answers = await Promise.all([cleanup.run(), instance().run()])
    expect(answers.map((answer) => answer.removed).reduce((sum, removed) => sum + removed)).toBe(1_201)
    const left = await store.db.select().from(store.tables.sessions)
    expect(left).toHaveLength(5)
    expect(await store.db.select().from(store.tables.refreshTokens)).toHaveLength(5)
    expect(await cleanup.run()).toEqual({ removed: 0, ended: 0 })
  })

  it('marks sessions that ran out as ended, each once and with its event, and their tokens as revoked', async () => {
    const { store, cleanup, instance, clock, userId } = await start()
    const now = clock.now()
    await addSessions(store, userId, 120, now - day, null)
    await addSessions(store, userId, 1, now - 30 * day, null)
    await addSessions(store, userId, 1, now - day + 1, null)
    const answers = await Promise.all([cleanup.run(), instance().run()])
    expect(answers.map((answer) => answer.ended).reduce((sum, ended) => sum + ended)).toBe(121)
    const { sessions, refreshTokens } = store.tables
    const live = await store.db.select().from(sessions).where(isNull(sessions.endedAt))
    expect(live).toHaveLength(1)
    const active = await store.db.select().from(refreshTokens).where(eq(refreshTokens.status, 'active'))
    expect(active.map((token) => token.sessionId)).toEqual(live.map((session) => session.id))
    const events = (await eventsOf(store)).filter((row) => row.event === 'session_expired')
    expect(events).toHaveLength(121)
    expect(new Set(events.map((row) => row.target)).size).toBe(121)
    expect(events.filter((row) => row.reason === 'expired')).toHaveLength(1)
    expect(events[0]).toMatchObject({ actor: 'system', actorId: null })
  })

  it('removes proofs, counters, factors and keys that are over, and keeps those that are not', async () => {
    const { store, cleanup, clock, userId } = await start()
    const { oneTimeTokens, stepUpGrants, challenges, attemptCounters, totpFactors, apiKeys } = store.tables
    const { db } = store
    const now = clock.now()
    const link = (name: string, usedAt: number | null, expiresAt: number) =>
      db.insert(oneTimeTokens).values({
        ...{ id: name, kind: 'invite', hash: name, userId, createdAt: 0, usedAt, expiresAt },
      })
    await link('over: used', now - 30 * day, now + day)
    await link('over: expired', null, now - 30 * day)
    await link('stays: used', now - 29 * day, now + day)
    await link('stays: open', null, now + day)
    const grant = (name: string, expiresAt: number) =>
      db.insert(stepUpGrants).values({
        ...{ id: name, sessionId: 'x', action: 'x', inputHash: 'x', method: 'otp', createdAt: 0, expiresAt },
      })
    await grant('over', now)
    await grant('stays', now + 1)
    const challenge = (name: string, expiresAt: number) =>
      db.insert(challenges).values({ id: name, kind: 'sign-in', data: {}, createdAt: 0, expiresAt })
    await challenge('over', now)
    await challenge('stays', now + 1)
    const counter = (key: string, updatedAt: number, blockedUntil: number | null) =>
      db.insert(attemptCounters).values({
        ...{ key, attempts: 1, windowStart: updatedAt, level: 0, updatedAt, blockedUntil },
      })
    await counter('over', now - 2 * day - 1, null)
    await counter('over: blocked once', now - 3 * day, now - 2 * day - 1)
    await counter('stays: young', now - 2 * day, null)
    await counter('stays: blocked', now - 9 * day, now + hour)
    await counter('stays: blocked lately', now - 9 * day, now - hour)
    const factor = (name: string, createdAt: number, activatedAt: number | null) =>
      db.insert(totpFactors).values({ id: name, userId, secretSealed: 'x', createdAt, activatedAt })
    await factor('over', now - day, null)
    await factor('stays: young', now - day + 1, null)
    await factor('stays: active', now - 99 * day, now - 99 * day)
    const key = (name: string, revokedAt: number | null, expiresAt: number) =>
      db.insert(apiKeys).values({
        ...{ id: name, name, userId, hash: name, prefix: 'hf_', permissions: [], createdAt: 0 },
        ...{ revokedAt, expiresAt },
      })
    await key('over: revoked', now - 90 * day, now + day)
    await key('over: expired', null, now - 90 * day)
    await key('stays: revoked', now - 89 * day, now + day)
    await key('stays: works', null, now + day)

    expect(await cleanup.run()).toEqual({ removed: 9, ended: 0 })
    const names = async () =>
      [
        ...(await db.select({ id: oneTimeTokens.id }).from(oneTimeTokens)),
        ...(await db.select({ id: stepUpGrants.id }).from(stepUpGrants)),
        ...(await db.select({ id: challenges.id }).from(challenges)),
        ...(await db.select({ id: attemptCounters.key }).from(attemptCounters)),
        ...(await db.select({ id: totpFactors.id }).from(totpFactors)),
        ...(await db.select({ id: apiKeys.id }).from(apiKeys)),
      ].map((row) => row.id)
    const left = await names()
    expect(left.filter((name) => name.startsWith('over'))).toEqual([])
    expect(left).toHaveLength(11)
  })

  it('rotates the signing key when it is due, and retires the old one later', async () => {
    const { store, cleanup, clock, signIn, security } = await start()
    await signIn()
    const states = async () => (await security.signingKeys.list()).map((entry) => entry.state)
    await cleanup.run()
    expect(await states()).toEqual(['signing'])
    clock.pass(30 * day)
    await cleanup.run()
    expect(await states()).toEqual(['next', 'signing'])
    clock.pass(10 * 60_000)
    await cleanup.run()
    expect(await states()).toEqual(['signing', 'verifying'])
    clock.pass(hour)
    await cleanup.run()
    expect(await states()).toEqual(['signing'])
    expect((await eventsOf(store)).map((row) => row.event)).toContain('sensitive_delete')
  })

  it('does the rest when one part fails', async () => {
    const { store, clock, userId } = await start()
    const log = openLog('error')
    const keys = {
      rotateIfDue: () => Promise.reject(new Error('no key')),
      retire: () => Promise.reject(new Error('no key')),
    }
    const cleanup = openCleanup({ store, vault: testVault, clock, log, keys }, { loginBlockMs: hour })
    await addSessions(store, userId, 2, clock.now() - 40 * day, clock.now() - 31 * day)
    expect(await cleanup.run()).toEqual({ removed: 2, ended: 0 })
  })

  if (dialect === 'postgresql') {
    it('waits on nobody: rows that somebody else holds are left for the next round', async () => {
      const { store, cleanup, clock, userId } = await start()
      const { sessions } = store.tables
      const now = clock.now()
      await addSessions(store, userId, 3, now - 40 * day, now - 31 * day)
      const [held] = await store.db.select().from(sessions)
      await store.db.transaction(async (tx) => {
        await tx
          .select()
          .from(sessions)
          .where(eq(sessions.id, held?.id ?? ''))
          .for('update')
        expect(await cleanup.run()).toEqual({ removed: 2, ended: 0 })
      })
      expect(await cleanup.run()).toEqual({ removed: 1, ended: 0 })
    })
  }

  it('stops between two batches when it is closed', async () => {
    const { store, cleanup, clock, userId } = await start()
    const now = clock.now()
    await addSessions(store, userId, 1_100, now - 40 * day, now - 31 * day)
    const running = cleanup.run()
    await cleanup.close()
    expect((await running).removed).toBeLessThan(1_100)
  })
})
