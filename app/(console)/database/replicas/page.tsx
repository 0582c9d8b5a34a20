import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { ReplicasView } from './view'

export const metadata: Metadata = { title: 'Replicas' }

export default async function ReplicasPage() {
  await prefetch(trpc.database.topology.queryOptions(), trpc.database.server.queryOptions())
  return (
    <Hydrate>
      <ReplicasView />
    </Hydrate>
  )
}
