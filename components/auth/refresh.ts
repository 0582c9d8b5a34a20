import { authClient, codeOf } from './client'

/** When access and session end, by this browser's own clock, UTC ms. */
export interface SessionTimes {
  userId: string
  accessUntil: number
  sessionUntil: number
}

export type Refreshed =
  | { state: 'fresh'; times: SessionTimes }
  | { state: 'ended' }
  | { state: 'unreachable' }

const timesKey = 'holdfast-session-times'
const leaseKey = 'holdfast-refresh-lease'
const lockName = 'holdfast-refresh'
/** A token with less left than this is renewed. */
const margin = 30_000
const leaseLife = 10_000

/** Turns the server's times into this browser's: its clock may be wrong. */
export function localTimes(
  session: { userId: string; accessExpiresAt: number; expiresAt: number },
  serverNow: number,
): SessionTimes {
  const ahead = Date.now() - serverNow
  return {
    userId: session.userId,
    accessUntil: session.accessExpiresAt + ahead,
    sessionUntil: session.expiresAt + ahead,
  }
}

/** Remembers the times for every tab. */
export function shareTimes(times: SessionTimes): void {
  try {
    localStorage.setItem(timesKey, JSON.stringify(times))
  } catch {
    // Storage is full or off: each tab then refreshes for itself, and the server answers the same successor.
  }
}

/** The times that any tab learned last. */
export function sharedTimes(): SessionTimes | null {
  try {
    const times = JSON.parse(localStorage.getItem(timesKey) ?? 'null') as Partial<SessionTimes> | null
    const { userId, accessUntil, sessionUntil } = times ?? {}
    return userId && accessUntil && sessionUntil ? { userId, accessUntil, sessionUntil } : null
  } catch {
    return null
  }
}

export function forgetTimes(): void {
  try {
    localStorage.removeItem(timesKey)
  } catch {}
}

/** Calls `listener` when another tab refreshed (its times) or signed out (null). */
export function onTimesChanged(listener: (times: SessionTimes | null) => void): () => void {
  const heard = (event: StorageEvent) => {
    if (event.key === timesKey) listener(sharedTimes())
  }
  addEventListener('storage', heard)
  return () => removeEventListener('storage', heard)
}

let running: Promise<Refreshed> | undefined

/**
 * Renews the session's access, once for all tabs: the first does it, the others find it done.
 * @param options.force also when the known times say that access is still good (the server said otherwise)
 */
export function refreshSession({ force = false } = {}): Promise<Refreshed> {
  const askedAt = sharedTimes()?.accessUntil
  running ??= withLock(() => refreshUnlessDone(force, askedAt)).finally(() => {
    running = undefined
  })
  return running
}

async function refreshUnlessDone(force: boolean, askedAt: number | undefined): Promise<Refreshed> {
  const known = sharedTimes()
  const another = known !== null && known.accessUntil !== askedAt
  if (known && known.accessUntil - Date.now() > margin && (!force || another)) {
    return { state: 'fresh', times: known }
  }
  try {
    const { session, now } = await authClient.auth.refresh.mutate({})
    const times = localTimes(session, now)
    shareTimes(times)
    return { state: 'fresh', times }
  } catch (error) {
    const code = codeOf(error)
    return code === 'SESSION_ENDED' || code === 'UNAUTHENTICATED'
      ? { state: 'ended' }
      : { state: 'unreachable' }
  }
}

/** Web Locks where the browser has them; on plain http away from localhost a lease in the shared storage. */
function withLock<T>(work: () => Promise<T>): Promise<T> {
  if ('locks' in navigator && navigator.locks) return navigator.locks.request(lockName, work) as Promise<T>
  return withLease(work)
}

async function withLease<T>(work: () => Promise<T>): Promise<T> {
  const own = Math.random().toString(36).slice(2)
  const deadline = Date.now() + leaseLife
  while (Date.now() < deadline) {
    if (!leaseHolder()) {
      localStorage.setItem(leaseKey, JSON.stringify({ own, until: Date.now() + leaseLife }))
      // Another tab may have written at the same moment; whoever wrote last holds it.
      await pause(30)
      if (leaseHolder() === own) break
    }
    await pause(50)
  }
  try {
    return await work()
  } finally {
    if (leaseHolder() === own) localStorage.removeItem(leaseKey)
  }
}

function leaseHolder(): string | null {
  try {
    const lease = JSON.parse(localStorage.getItem(leaseKey) ?? 'null')
    return lease && lease.until > Date.now() ? String(lease.own) : null
  } catch {
    return null
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
