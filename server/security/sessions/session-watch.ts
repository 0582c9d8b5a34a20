import { inArray } from 'drizzle-orm'
import type { Store } from '@/db/store'
import type { Clock } from '@/server/clock'
import type { Log } from '@/server/log'
import { selectApiKeys, standingOfKey } from '../api-keys/api-key-facts'
import type { Permission } from '../roles'
import type { SessionChange, SessionWatch } from '../types'
import { type Standing, selectSessions, standingOf } from './session-facts'

/** What another instance has ended is told here after this time, and the time of a query. */
const everyMs = 1_000
/** Ids that one query asks for. */
const chunk = 500

interface Watcher {
  tell(change: SessionChange): void
  /** The permissions that it was told last. */
  told?: string
}

/**
 * Asks the store once a second what became of the sessions that somebody watches here, all of them together. It
 * rests while nobody watches. A store that does not answer ends nothing.
 */
export function openSessionWatch({
  store,
  clock,
  log,
}: {
  store: Store
  clock: Clock
  log: Log
}): SessionWatch {
  const watchers = new Map<string, Set<Watcher>>()
  let running = false
  let timer: NodeJS.Timeout | undefined
  let ticking: Promise<void> = Promise.resolve()
  let failing = false

  function end(sessionId: string): void {
    const told = watchers.get(sessionId) ?? []
    watchers.delete(sessionId)
    for (const watcher of told) watcher.tell({ ended: true })
  }

  function allow(sessionId: string, permissions: readonly Permission[]): void {
    const key = permissions.join(' ')
    for (const watcher of watchers.get(sessionId) ?? []) {
      if (watcher.told === key) continue
      watcher.told = key
      watcher.tell({ ended: false, permissions })
    }
  }

  async function look(): Promise<void> {
    const ids = [...watchers.keys()]
    for (let at = 0; at < ids.length; at += chunk) {
      const asked = ids.slice(at, at + chunk)
      const found = await standings({ store, clock }, asked)
      for (const id of asked) {
        const standing = found.get(id)
        if (standing) allow(id, permissionsNow(standing))
        else end(id)
      }
    }
  }

  async function tick(): Promise<void> {
    try {
      await look()
      failing = false
    } catch (error) {
      if (!failing) log.warn({ error }, 'the watched sessions could not be read')
      failing = true
    }
  }

  function schedule(): void {
    if (!running || timer || watchers.size === 0) return
    timer = setTimeout(() => {
      ticking = tick().finally(() => {
        timer = undefined
        schedule()
      })
    }, everyMs)
    timer.unref()
  }

  return {
    watch(sessionId, listener) {
      const watcher: Watcher = { tell: listener }
      const beside = watchers.get(sessionId) ?? new Set()
      watchers.set(sessionId, beside.add(watcher))
      schedule()
      return () => {
        beside.delete(watcher)
        if (beside.size === 0 && watchers.get(sessionId) === beside) watchers.delete(sessionId)
      }
    },
    ended(sessionIds) {
      for (const id of sessionIds) end(id)
    },
    start() {
      running = true
      schedule()
    },
    async close() {
      running = false
      clearTimeout(timer)
      await ticking
    },
  }
}

/** While something has to be done first, a session may see to its account and to nothing else. */
const permissionsNow = ({ needs, permissions }: Standing): readonly Permission[] =>
  needs.length > 0 ? ['account:own'] : permissions

/** What sessions and API keys of these ids stand for now; those that are missing have ended. */
async function standings({ store, clock }: { store: Store; clock: Clock }, ids: string[]) {
  const { sessions, apiKeys } = store.tables
  const found = new Map<string, Standing | null>()
  for (const row of await selectSessions(store).where(inArray(sessions.id, ids))) {
    found.set(row.sessionId, standingOf(row, clock.now()))
  }
  const others = ids.filter((id) => !found.has(id))
  if (others.length === 0) return found
  for (const row of await selectApiKeys(store).where(inArray(apiKeys.id, others))) {
    found.set(row.sessionId, standingOfKey(row, clock.now()))
  }
  return found
}
