import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { CacheView } from './view'

export const metadata: Metadata = { title: 'Cache' }

export default async function CachePage() {
  await prefetch(trpc.cache.stats.queryOptions(), trpc.system.history.queryOptions({ samples: 60 }))
  return (
    <Hydrate>
      <CacheView />
    </Hydrate>
  )
}
