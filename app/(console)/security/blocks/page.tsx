import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { BlocksView } from './view'

export const metadata: Metadata = { title: 'Blocks and limits' }

export default async function BlocksPage() {
  await prefetch(
    trpc.security.blocks.list.queryOptions(),
    trpc.security.trusted.list.queryOptions(),
    trpc.security.limits.state.queryOptions(),
  )
  return (
    <Hydrate>
      <BlocksView />
    </Hydrate>
  )
}
