import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { SlowLogView } from './view'

export const metadata: Metadata = { title: 'Cache slow log' }

export default async function SlowLogPage() {
  await prefetch(trpc.cache.stats.queryOptions(), trpc.cache.slowLog.queryOptions())
  return (
    <Hydrate>
      <SlowLogView />
    </Hydrate>
  )
}
