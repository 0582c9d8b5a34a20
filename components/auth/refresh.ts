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

const timesCookie = 'holdfast-times'
const leaseCookie = 'holdfast-lease'
const channelName = 'holdfast-session'
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

/**
 * Remembers the times for every tab. In a cookie, since the next tab that gets the lock must see them: the
 * shared storage of browsers that run tabs in processes of their own is late by some milliseconds.
 */
export function shareTimes(times: SessionTimes): void {
  const { userId, accessUntil, sessionUntil } = times
  writeCookie(timesCookie, [userId, accessUntil, sessionUntil].join('.'), sessionUntil - Date.now())
  tell(times)
}

/** The times that any tab learned last. */
export function sharedTimes(): SessionTimes | null {
  const [userId = '', access, session] = readCookie(timesCookie).split('.')
  const [accessUntil, sessionUntil] = [Number(access), Number(session)]
  return userId && accessUntil && sessionUntil ? { userId, accessUntil, sessionUntil } : null
}

/** Tells every tab that nobody is signed in any more. */
export function forgetTimes(): void {
  writeCookie(timesCookie, '', 0)
  tell(null)
}

/** Calls `listener` when another tab refreshed (its times) or signed out (null). */
export function onTimesChanged(listener: (times: SessionTimes | null) => void): () => void {
  const channel = new BroadcastChannel(channelName)
  channel.onmessage = ({ data }) => listener(data as SessionTimes | null)
  return () => channel.close()
}

function tell(times: SessionTimes | null): void {
  const channel = new BroadcastChannel(channelName)
  channel.postMessage(times)
  channel.close()
}

function readCookie(name: string): string {
  const pair = document.cookie.split('; ').find((each) => each.startsWith(`${name}=`))
  return pair?.slice(name.length + 1) ?? ''
}

function writeCookie(name: string, value: string, life: number): void {
  const secure = location.protocol === 'https:' ? '; Secure' : ''
  const age = Math.max(0, Math.ceil(life / 1000))
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is missing on plain http
  document.cookie = `${name}=${value}; Path=/; SameSite=Lax; Max-Age=${age}${secure}`
}

let running: Promise<Refreshed> | undefined

/**
 * Renews the session's access, once for all tabs: the first does it, the others find it done.
 * @param options.force also when the known times say that access is still good (the server said otherwise)
 * @param options.instead the `accessUntil` that is to be replaced: a later one from another tab will do
 */
export function refreshSession({
  force = false,
  instead = sharedTimes()?.accessUntil,
}: {
  force?: boolean
  instead?: number
} = {}): Promise<Refreshed> {
  running ??= withLock(() => refreshUnlessDone(force, instead)).finally(() => {
    running = undefined
  })
  return running
}

async function refreshUnlessDone(force: boolean, instead: number | undefined): Promise<Refreshed> {
  const known = sharedTimes()
  const left = (known?.accessUntil ?? 0) - Date.now()
  const another = known?.accessUntil !== instead && left > 1_000
  if (known && (another || (!force && left > margin))) return { state: 'fresh', times: known }
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

/** Web Locks where the browser has them; on plain http away from localhost a lease in a cookie. */
function withLock<T>(work: () => Promise<T>): Promise<T> {
  if ('locks' in navigator && navigator.locks) return navigator.locks.request(lockName, work) as Promise<T>
  return withLease(work)
}

async function withLease<T>(work: () => Promise<T>): Promise<T> {
  const own = Math.random().toString(36).slice(2)
  const deadline = Date.now() + leaseLife
  while (Date.now() < deadline) {
    if (!readCookie(leaseCookie)) {
      writeCookie(leaseCookie, own, leaseLife)
      // Another tab may have written at the same moment; whoever wrote last holds it.
      await pause(30)
      if (readCookie(leaseCookie) === own) break
    }
    await pause(50)
  }
  try {
    return await work()
  } finally {
    if (readCookie(leaseCookie) === own) writeCookie(leaseCookie, '', 0)
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
