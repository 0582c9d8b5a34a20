import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { SystemView } from './view'

export const metadata: Metadata = { title: 'System' }

export default async function SystemPage() {
  await prefetch(
    trpc.system.health.queryOptions(),
    trpc.system.about.queryOptions(),
    trpc.system.instances.queryOptions(),
    trpc.system.history.queryOptions({ samples: 60 }),
  )
  return (
    <Hydrate>
      <SystemView />
    </Hydrate>
  )
}
