import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { MigrationView } from './view'

export const metadata: Metadata = { title: 'Migration' }

export default async function MigrationPage() {
  await prefetch(
    trpc.migration.runs.queryOptions(),
    trpc.migration.sources.queryOptions(),
    trpc.migration.targets.queryOptions(),
    trpc.migration.settings.queryOptions(),
  )
  return (
    <Hydrate>
      <MigrationView />
    </Hydrate>
  )
}
