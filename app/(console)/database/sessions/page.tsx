import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { SessionsView } from './view'

export const metadata: Metadata = { title: 'Database sessions' }

export default async function SessionsPage() {
  await prefetch(trpc.database.sessions.queryOptions(), trpc.database.server.queryOptions())
  return (
    <Hydrate>
      <SessionsView />
    </Hydrate>
  )
}
