import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { IndexesView } from './view'

export const metadata: Metadata = { title: 'Index advice' }

export default async function IndexesPage() {
  await prefetch(
    trpc.database.advice.queryOptions({}),
    trpc.database.indexChanges.queryOptions(),
    trpc.database.statements.queryOptions(),
    trpc.auth.me.queryOptions(),
  )
  return (
    <Hydrate>
      <IndexesView />
    </Hydrate>
  )
}
