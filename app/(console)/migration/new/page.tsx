import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { NewRunView } from './view'

export const metadata: Metadata = { title: 'New migration' }

export default async function NewRunPage() {
  await prefetch(
    trpc.migration.sources.queryOptions(),
    trpc.migration.targets.queryOptions(),
    trpc.migration.settings.queryOptions(),
  )
  return (
    <Hydrate>
      <NewRunView />
    </Hydrate>
  )
}
