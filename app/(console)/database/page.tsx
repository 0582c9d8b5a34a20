import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { DatabaseView } from './view'

export const metadata: Metadata = { title: 'Database' }

export default async function DatabasePage() {
  await prefetch(trpc.database.stats.queryOptions(), trpc.system.history.queryOptions({ samples: 60 }))
  return (
    <Hydrate>
      <DatabaseView />
    </Hydrate>
  )
}
