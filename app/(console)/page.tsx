import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { Overview } from './view'

export const metadata: Metadata = { title: 'Overview' }

export default async function OverviewPage() {
  await prefetch(
    trpc.system.history.queryOptions({ samples: 60 }),
    trpc.system.health.queryOptions(),
    trpc.cache.stats.queryOptions(),
    trpc.migration.runs.queryOptions(),
  )
  return (
    <Hydrate>
      <Overview />
    </Hydrate>
  )
}
