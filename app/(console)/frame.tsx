'use client'

import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { AlertBell } from '@/components/alerts/bell'
import { SessionBanner, useSession } from '@/components/auth/session'
import { useLive, useLiveEvent } from '@/components/live/live'
import { OfflineBanner } from '@/components/live/offline-banner'
import { ReadOnlyBanner } from '@/components/live/read-only-banner'
import { Shell } from '@/components/shell/shell'
import { useTRPC } from '@/components/trpc/trpc'

/** The shell, fed: who is signed in, where, on which store, and how live it is. */
export function Frame({ railFolded, children }: { railFolded: boolean; children: ReactNode }) {
  const { session, signOut, openSignIn } = useSession()
  const { connection, stream } = useLive()
  const trpc = useTRPC()
  const about = useQuery(trpc.system.about.queryOptions())
  useLiveEvent('migration', () => {
    // A switchover puts another store under the console.
    if (about.data && Date.now() - about.dataUpdatedAt > 5_000) void about.refetch()
  })
  const press = () => {
    if (connection === 'signed-out') openSignIn()
    else if (connection === 'paused') stream.resume()
    else if (connection === 'live') stream.pause()
    else stream.retry()
  }
  return (
    <Shell
      environment={about.data ? new URL(about.data.url).host : 'Holdfast'}
      store={about.data?.dialect === 'postgresql' ? 'PostgreSQL' : 'SQLite'}
      connection={connection}
      onConnection={press}
      email={session.email}
      role={session.role}
      onSignOut={signOut}
      railFolded={railFolded}
      alerts={<AlertBell />}
      banners={
        <>
          <SessionBanner />
          <OfflineBanner />
          <ReadOnlyBanner />
        </>
      }
    >
      {children}
    </Shell>
  )
}
