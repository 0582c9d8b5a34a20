'use client'

import { createContext, type ReactNode, use, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { Button } from '@/components/ui/button'
import { Banner } from '@/components/ui/callout'
import { Dialog } from '@/components/ui/dialog'
import { ErrorText } from '@/components/ui/error-text'
import { formatDuration } from '@/components/ui/format'
import { useNow } from '@/components/ui/now'
import { authClient } from './client'
import {
  forgetTimes,
  localTimes,
  onTimesChanged,
  refreshSession,
  type SessionTimes,
  sharedTimes,
  shareTimes,
} from './refresh'
import { type NewSession, SignInForm } from './sign-in-form'

/** The session as the server rendered the page with it: what `auth.me` answers. */
export interface PageSession {
  userId: string
  email: string
  name: string
  role: string
  accessExpiresAt: number
  expiresAt: number
  /** The server's clock when it said so. */
  now: number
}

export interface SessionState {
  session: PageSession
  /** `ending` from two minutes before the end; `signed-out` once nothing can be asked of the server. */
  state: 'signed-in' | 'ending' | 'signed-out'
  /** When the session ends, by this browser's clock. */
  endsAt: number
  /** Opens sign-in over the page. */
  openSignIn(): void
  /** Signs out everywhere in this browser and leaves for the sign-in page. */
  signOut(): Promise<void>
  /** Tells that the server refused the session: refreshes it, or opens sign-in over the page. */
  lost(): Promise<boolean>
}

const SessionContext = createContext<SessionState | null>(null)

/** The session of the page. Throws outside a SessionProvider. */
export function useSession(): SessionState {
  const state = use(SessionContext)
  if (!state) throw new Error('useSession stands outside of SessionProvider')
  return state
}

/** Warns so long before the end. */
const warnBefore = 120_000
/** A wait that fits setTimeout, however far away the end is. */
const longestWait = 3_600_000

/**
 * Keeps the session of the page alive by one refresh that all tabs share, warns before its end, and when it has
 * ended asks for the password over the page, whose forms stay as they are. `onSignedIn` may fetch anew.
 */
export function SessionProvider({
  session,
  onSignedIn,
  children,
}: {
  session: PageSession
  onSignedIn?: () => void
  children: ReactNode
}) {
  const [times, setTimes] = useState<SessionTimes>()
  const [ended, setEnded] = useState(false)
  const [asking, setAsking] = useState(false)
  const [near, setNear] = useState(false)
  const [stuck, setStuck] = useState<{ error: unknown }>()
  const leaving = useRef(false)

  // The server's answer to this very page is the newest word; later ones come from the refresh of any tab.
  useEffect(() => {
    const own = localTimes(session, session.now)
    const shared = sharedTimes()
    const latest = shared?.userId === own.userId && shared.accessUntil > own.accessUntil ? shared : own
    if (latest === own) shareTimes(own)
    setTimes(latest)
  }, [session])

  const end = useCallback(() => {
    if (leaving.current) return
    setEnded(true)
    setAsking(true)
  }, [])

  const refresh = useCallback(
    async (options: { force: boolean; instead?: number }) => {
      const result = await refreshSession(options)
      if (result.state === 'fresh') {
        setTimes(result.times)
        setEnded(false)
      }
      if (result.state === 'ended') end()
      return result.state === 'fresh'
    },
    [end],
  )

  useEffect(
    () =>
      onTimesChanged((next) => {
        if (!next) return end()
        if (next.userId !== session.userId) return location.reload()
        setTimes(next)
        setEnded(false)
        setAsking(false)
      }),
    [end, session.userId],
  )

  useEffect(() => {
    if (!times || ended) return
    const left = times.accessUntil - Date.now()
    // A fifth of what is left, a minute at most, so that short lives work as well.
    const early = Math.min(60_000, Math.max(0, left) / 5)
    const timer = setTimeout(
      () => void refresh({ force: true, instead: times.accessUntil }),
      Math.max(0, Math.min(left - early, times.sessionUntil - Date.now(), longestWait)),
    )
    const seen = () => {
      if (!document.hidden && times.accessUntil - Date.now() < 60_000)
        void refresh({ force: true, instead: times.accessUntil })
    }
    document.addEventListener('visibilitychange', seen)
    return () => {
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', seen)
    }
  }, [times, ended, refresh])

  useEffect(() => {
    if (!times) return
    const left = times.sessionUntil - Date.now()
    setNear(left <= warnBefore)
    const timer = setTimeout(() => setNear(true), Math.max(0, Math.min(left - warnBefore, 2 ** 31 - 1)))
    return () => clearTimeout(timer)
  }, [times])

  const signOut = useCallback(async () => {
    leaving.current = true
    try {
      await authClient.auth.signOut.mutate({})
    } catch (error) {
      leaving.current = false
      setStuck({ error })
      return
    }
    forgetTimes()
    location.assign('/sign-in')
  }, [])

  const signedIn = ({ userId, needs }: NewSession) => {
    // Somebody else must not find the forms and figures of the one before; what must be done first has its own page.
    if (userId !== session.userId || needs.length > 0) return location.reload()
    const next = sharedTimes()
    if (next) setTimes(next)
    setEnded(false)
    setAsking(false)
    onSignedIn?.()
  }

  const endsAt = times?.sessionUntil ?? session.expiresAt
  const state = ended ? 'signed-out' : near ? 'ending' : 'signed-in'
  const value = useMemo<SessionState>(
    () => ({
      ...{ session, state, endsAt, signOut },
      openSignIn: () => setAsking(true),
      lost: () => refresh({ force: true }),
    }),
    [session, state, endsAt, signOut, refresh],
  )
  return (
    <SessionContext value={value}>
      {children}
      <Dialog
        open={asking}
        onClose={() => setAsking(false)}
        title={ended ? 'Your session has ended' : 'Sign in again'}
      >
        <p className="text-muted">
          {ended
            ? 'Sign in to go on. The page stays as you left it.'
            : 'A new session starts now, and the page stays as it is.'}
        </p>
        <SignInForm email={session.email} onDone={signedIn} />
        <a
          href="/sign-in"
          className="inline-flex min-h-6 items-center self-start text-note text-muted underline underline-offset-4 hover:text-text"
        >
          Sign in as somebody else
        </a>
      </Dialog>
      <Dialog
        open={stuck !== undefined}
        onClose={() => setStuck(undefined)}
        title="You are still signed in"
        error={stuck ? <ErrorText error={stuck.error} /> : null}
        actions={
          <>
            <Button onClick={() => setStuck(undefined)}>Cancel</Button>
            <Button variant="primary" onClick={signOut}>
              Sign out again
            </Button>
          </>
        }
      >
        <p className="text-muted">The console did not end your session.</p>
      </Dialog>
    </SessionContext>
  )
}

/** The line under the strip: two minutes before the end, and after it. Nothing otherwise. */
export function SessionBanner() {
  const { state, endsAt, openSignIn } = useSession()
  const now = useNow()
  if (state === 'signed-in') return null
  const left = Math.max(0, Math.round((endsAt - now) / 1000) * 1000)
  return (
    <Banner
      tone={state === 'ending' ? 'warn' : 'bad'}
      actions={
        <Button size="small" onClick={openSignIn}>
          {state === 'ending' ? 'Stay signed in' : 'Sign in'}
        </Button>
      }
    >
      {state === 'ending'
        ? `Your session ends in ${formatDuration(left)}.`
        : 'You are signed out. What you see is no longer live.'}
    </Banner>
  )
}
