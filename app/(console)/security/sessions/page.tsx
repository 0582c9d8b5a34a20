import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { sessionsOf } from './filter'
import { SessionsView } from './view'

export const metadata: Metadata = { title: 'Sessions' }

export default async function SessionsPage({
  searchParams,
}: {
  searchParams: Promise<{ user?: string | string[] }>
}) {
  const { user } = await searchParams
  await prefetch(
    trpc.security.sessions.queryOptions(sessionsOf(typeof user === 'string' ? user : null)),
    trpc.security.users.queryOptions(),
  )
  return (
    <Hydrate>
      <SessionsView />
    </Hydrate>
  )
}
