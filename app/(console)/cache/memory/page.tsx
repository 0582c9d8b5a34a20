import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { MemoryView } from './view'

export const metadata: Metadata = { title: 'Cache memory' }

/** The sample takes up to some seconds: the browser asks for it, and the page doesn't wait. */
export default async function MemoryPage() {
  await prefetch(trpc.cache.stats.queryOptions())
  return (
    <Hydrate>
      <MemoryView />
    </Hydrate>
  )
}
