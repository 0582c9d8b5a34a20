import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { PoolsView } from './view'

export const metadata: Metadata = { title: 'Database' }

export default async function PoolsPage() {
  await prefetch(
    trpc.database.stats.queryOptions(),
    trpc.database.pool.queryOptions(),
    trpc.database.topology.queryOptions(),
    trpc.system.history.queryOptions({ samples: 60 }),
  )
  return (
    <Hydrate>
      <PoolsView />
    </Hydrate>
  )
}
