import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { OutboundView } from './view'

export const metadata: Metadata = { title: 'Outbound HTTP' }

export default async function OutboundPage() {
  await prefetch(trpc.cache.outbound.queryOptions())
  return (
    <Hydrate>
      <OutboundView />
    </Hydrate>
  )
}
