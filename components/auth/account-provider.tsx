'use client'

import { QueryClientProvider } from '@tanstack/react-query'
import { createTRPCClient } from '@trpc/client'
import { type ReactNode, useState } from 'react'
import { makeLinks } from '@/components/trpc/links'
import { makeQueryClient } from '@/components/trpc/query-client'
import { TRPCProvider } from '@/components/trpc/trpc'
import type { AppRouter } from '@/server/routers/_app'
import { forgetTimes } from './refresh'
import { type PageSession, SessionProvider } from './session'

/** What a page needs for whom nothing but the own account is open: the session and typed procedures, nothing live. */
export function AccountProvider({ session, children }: { session: PageSession; children: ReactNode }) {
  const [{ queryClient, client }] = useState(make)
  return (
    <QueryClientProvider client={queryClient}>
      <TRPCProvider trpcClient={client} queryClient={queryClient}>
        {/* A new session may have nothing left to do here. */}
        <SessionProvider session={session} onSignedIn={() => location.reload()}>
          {children}
        </SessionProvider>
      </TRPCProvider>
    </QueryClientProvider>
  )
}

function make() {
  const queryClient = makeQueryClient()
  const client = createTRPCClient<AppRouter>({ links: makeLinks({ onSignedOut: forgetTimes }) })
  return { queryClient, client }
}
