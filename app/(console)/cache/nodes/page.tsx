import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { NodesView } from './view'

export const metadata: Metadata = { title: 'Cache nodes' }

export default async function NodesPage() {
  await prefetch(trpc.cache.stats.queryOptions(), trpc.cache.nodes.queryOptions())
  return (
    <Hydrate>
      <NodesView />
    </Hydrate>
  )
}
