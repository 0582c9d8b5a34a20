import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { TablesView } from './view'

export const metadata: Metadata = { title: 'Tables' }

export default async function TablesPage() {
  await prefetch(trpc.database.tables.queryOptions())
  return (
    <Hydrate>
      <TablesView />
    </Hydrate>
  )
}
