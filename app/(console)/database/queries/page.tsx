import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { QueriesView } from './view'

export const metadata: Metadata = { title: 'Queries' }

export default async function QueriesPage() {
  await prefetch(trpc.database.statements.queryOptions())
  return (
    <Hydrate>
      <QueriesView />
    </Hydrate>
  )
}
