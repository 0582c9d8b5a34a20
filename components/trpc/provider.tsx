'use client'

import { QueryClientProvider } from '@tanstack/react-query'
import { createTRPCClient } from '@trpc/client'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { type PageSession, SessionProvider, useSession } from '@/components/auth/session'
import { LiveProvider, useLive } from '@/components/live/live'
import { LiveStream } from '@/components/live/stream'
import { browserSurroundings } from '@/components/live/surroundings'
import type { AppRouter } from '@/server/routers/_app'
import { makeLinks } from './links'
import { makeQueryClient } from './query-client'
import { TRPCProvider } from './trpc'

/** What the pages need around them: the query cache, typed procedures, the session and the one event stream. */
export function ConsoleProvider({ session, children }: { session: PageSession; children: ReactNode }) {
  const [{ queryClient, client, stream }] = useState(make)
  return (
    <QueryClientProvider client={queryClient}>
      <TRPCProvider trpcClient={client} queryClient={queryClient}>
        <LiveProvider stream={stream}>
          <SessionProvider session={session} onSignedIn={() => void queryClient.invalidateQueries()}>
            <SessionAndStream />
            {children}
          </SessionProvider>
        </LiveProvider>
      </TRPCProvider>
    </QueryClientProvider>
  )
}

/** What the stream learns of the session the page learns, and the other way round. */
function SessionAndStream() {
  const { state, lost } = useSession()
  const { connection, stream } = useLive()
  const streamLost = connection === 'signed-out'
  useEffect(() => {
    if (streamLost) void lost().then((fresh) => fresh && stream.signIn())
  }, [streamLost, lost, stream])
  const before = useRef(state)
  useEffect(() => {
    if (state === 'signed-out') stream.signOut()
    else if (before.current === 'signed-out') stream.signIn()
    before.current = state
  }, [state, stream])
  return null
}

function make() {
  const queryClient = makeQueryClient()
  const client = createTRPCClient<AppRouter>({ links: makeLinks({ onSignedOut: () => stream.signOut() }) })
  const stream = new LiveStream(browserSurroundings(client))
  // The stream could not go on where it broke off: whatever was built from it is asked for again.
  stream.onEvent((event) => {
    if (event.kind === 'reset') void queryClient.invalidateQueries()
  })
  return { queryClient, client, stream }
}
