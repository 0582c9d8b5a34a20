import { eq } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { waitUntil } from '@/db/testing/processes'
import { describeStores } from '@/db/testing/stores'
import { openLog } from '@/server/log'
import { ana, browser, openAccounts } from '../testing/accounts'
import type { SessionChange } from '../types'
import { openSessionWatch } from './session-watch'

describeStores((open) => {
  async function start() {
    const store = await open()
    const run = await openAccounts(store)
    const watch = openSessionWatch({ store, clock: run.clock, log: openLog('error') })
    watch.start()
    const seen = (sessionId: string) => {
      const changes: SessionChange[] = []
      const stop = watch.watch(sessionId, (change) => changes.push(change))
      return { changes, stop, over: () => changes.some((change) => change.ended) }
    }
    return { ...run, store, watch, seen }
  }

  it('tells what another instance has ended, and of nothing else', async () => {
    const { security, signIn, seen, watch } = await start()
    const one = seen((await signIn()).session.sessionId)
    const { session } = await signIn(ana, browser('other'))
    const two = seen(session.sessionId)
    await security.sessions.end({ sessionId: session.sessionId }, browser().by)
    await waitUntil('the end to be told', async () => two.over())
    expect(one.over()).toBe(false)
    await watch.close()
  })

  it('tells at once what this instance has ended, once', async () => {
    const { signIn, seen, watch } = await start()
    const { session } = await signIn()
    const [one, two] = [seen(session.sessionId), seen(session.sessionId)]
    watch.ended([session.sessionId, session.sessionId])
    expect([one.changes, two.changes]).toEqual([[{ ended: true }], [{ ended: true }]])
    await watch.close()
  })

  it('tells of other permissions, of what has to be done first, and of disuse', async () => {
    const { store, signIn, seen, watch, clock, userId } = await start()
    const { users, meta } = store.tables
    await store.db.insert(meta).values({ key: 'factor-required-roles', value: '[]' })
    const { session } = await signIn()
    const { changes, over } = seen(session.sessionId)
    const last = () => {
      const change = changes.at(-1)
      return change && !change.ended ? change.permissions : []
    }
    await waitUntil('what it may do', async () => last().includes('security:manage'))
    await store.db.update(users).set({ role: 'viewer' }).where(eq(users.id, userId))
    await waitUntil('the role of a viewer', async () => !last().includes('security:manage'))
    expect(last()).toContain('security:read')
    await store.db.update(users).set({ mustChangePassword: true })
    await waitUntil('the own account alone', async () => last().length === 1)
    expect(last()).toEqual(['account:own'])
    expect(changes).toHaveLength(3)
    clock.pass(7 * 86_400_000)
    await waitUntil('the end by disuse', async () => over())
    await watch.close()
  })

  it('tells when an API key is revoked', async () => {
    const { security, signIn, granted, seen, watch } = await start()
    const { session } = await signIn()
    const input = { name: 'Grafana', permissions: ['system:read' as const], days: 1 }
    const { id } = await security.apiKeys.create(
      session,
      input,
      await granted(session, 'security.createApiKey', input),
    )
    const { changes, over } = seen(id)
    await waitUntil('what it may do', async () => changes.length === 1)
    expect(changes).toEqual([{ ended: false, permissions: ['system:read'] }])
    await security.apiKeys.revoke({ id }, browser().by)
    await waitUntil('the end to be told', async () => over())
    await watch.close()
  })

  it('asks for many sessions together, never twice at once, and for none when nobody watches', async () => {
    const { store, signIn, watch, seen } = await start()
    const { session } = await signIn()
    const { db } = store
    let reads = 0
    await store.exclusively(async (handle) => ({
      ...handle,
      db: new Proxy(db, {
        get(target, name) {
          if (name === 'select') reads++
          const value = Reflect.get(target, name)
          return typeof value === 'function' ? value.bind(target) : value
        },
      }),
    }))
    const live = seen(session.sessionId)
    const gone = Array.from({ length: 1_200 }, (_, n) => seen(`gone-${n}`))
    await waitUntil('what it may do', async () => live.changes.length === 1)
    await waitUntil('all that are gone', async () => gone.every(({ over }) => over()))
    // Three chunks for sessions, and three for what could be API keys.
    expect(reads).toBe(6)
    expect(live.over()).toBe(false)
    live.stop()
    reads = 0
    const later = seen(session.sessionId)
    later.stop()
    await watch.close()
    expect(reads).toBe(0)
  })

  it('takes a store that is away for no end, and goes on when it is back', async () => {
    const { store, security, signIn, watch, seen } = await start()
    const { session } = await signIn()
    const { over } = seen(session.sessionId)
    let asked = 0
    let back = () => {}
    await store.exclusively(async (handle) => {
      const db = new Proxy(handle.db, {
        get() {
          asked++
          throw new Error('away')
        },
      })
      back = () => void store.exclusively(async () => handle)
      return { ...handle, db }
    })
    await waitUntil('two looks that fail', async () => asked >= 2)
    expect(over()).toBe(false)
    back()
    await security.sessions.end({ sessionId: session.sessionId }, browser().by)
    await waitUntil('the end to be told', async () => over())
    await watch.close()
  })
})
