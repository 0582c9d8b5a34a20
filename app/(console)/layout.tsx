import { cookies } from 'next/headers'
import type { ReactNode } from 'react'
import { Hydrate, prefetch, requireReady, trpc } from '@/app/_lib/trpc'
import { RAIL_COOKIE } from '@/components/shell/preferences'
import { ConsoleProvider } from '@/components/trpc/provider'
import { Frame } from './frame'

/** Rail, strip and live values around every page, for who is signed in. */
export default async function ConsoleLayout({ children }: { children: ReactNode }) {
  const [session, jar] = await Promise.all([requireReady(), cookies()])
  await prefetch(
    trpc.system.about.queryOptions(),
    trpc.database.topology.queryOptions(),
    trpc.security.alerts.unseen.queryOptions(),
  )
  return (
    <ConsoleProvider session={session}>
      <Hydrate>
        <Frame railFolded={jar.get(RAIL_COOKIE)?.value === 'folded'}>{children}</Frame>
      </Hydrate>
    </ConsoleProvider>
  )
}
